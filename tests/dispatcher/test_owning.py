"""Whose the states of endpoints are: told by who owns them, and by nobody else."""

import pytest

from dispatcher.stage import DispatcherStage
from dispatcher.transport import Answer, TransportError
from schemas.configuration import action_key
from streaming import metrics
from streaming.partitions import partition_of

CRM = action_key("acme", "crm")
REFUSED = TransportError("connect", "refused")


def told(one):
    return [(record["state"], record["action_id"]) for record in one.written(one.topics.endpoints)]


def shown(state):
    return metrics.ENDPOINTS.labels(state)._value.get()


async def fail(one, count=5):
    one.transport.answer = REFUSED
    for _ in range(count):
        await one.take(one.flight())


async def opened_elsewhere(sender, seconds=60):
    """The record of another owner, who found the endpoint failing."""
    other = sender()
    other.transport.answer = Answer(503, {"Retry-After": str(seconds)}, b"")
    for _ in range(5):
        await other.take(other.flight())
    (record,) = other.written(other.topics.endpoints)
    return record


async def test_an_endpoint_that_opens_is_told_once_with_its_time(sender):
    one = sender()
    await fail(one)
    (record,) = one.written(one.topics.endpoints)
    assert [r.key for r in one.producer.sent if r.topic == one.topics.endpoints] == [CRM]
    assert (record["state"], record["probe_at"], record["error"]) == ("open", 5_000_000, "connect")
    assert shown("open") == 1


async def test_what_opens_while_the_partition_is_being_taken_away_is_told_yet(sender):
    """Until it is gone, nobody else can tell it, and the next owner reads it."""
    one = sender()
    one.transport.holding, one.transport.answer = True, REFUSED
    await one.take(*(one.flight() for _ in range(5)))
    one.tracker.revoked = True
    one.delivery.hand_back()
    await one.settle()
    one.transport.release()
    await one.settle()
    assert told(one) == [("open", "crm")]


async def test_what_fails_when_the_partition_is_gone_is_told_by_its_next_owner(sender, tracker):
    """It used to be told as soon as anything else had been taken in."""
    one = sender()
    one.transport.holding, one.transport.answer = True, REFUSED
    await one.take(*(one.flight() for _ in range(5)))
    one.tracker.revoked = one.tracker.gone = True
    one.delivery.hand_back()
    one.delivery.drop(range(12))
    await one.take(one.flight({"account_id": "zenith"}, tracker=tracker(partition=1)))
    one.transport.release()
    await one.settle()
    assert told(one) == []
    assert len(one.written(one.topics.attempts)) == 6


async def test_a_state_that_was_taken_over_holds_dispatches_back(sender):
    record = await opened_elsewhere(sender)
    one = sender()
    one.delivery.restore({CRM: record})
    await one.take(one.flight())
    assert one.transport.requests == []
    (waits,) = one.written(one.topics.retry("1m"))
    assert (waits["attempt"], waits["due_at"]) == (1, 60_000_000)
    assert shown("open") == 1


async def test_a_state_that_was_dropped_holds_nothing_back_and_is_counted_no_more(sender):
    record = await opened_elsewhere(sender)
    one = sender()
    one.delivery.restore({CRM: record})
    one.delivery.drop(range(12))
    await one.take(one.flight())
    assert len(one.transport.requests) == 1
    assert shown("open") == 0


async def test_only_the_partitions_that_went_are_dropped(sender):
    record = await opened_elsewhere(sender)
    one = sender()
    one.delivery.restore({CRM: record})
    one.delivery.drop([n for n in range(12) if n != partition_of(CRM, 12)])
    await one.take(one.flight())
    assert one.transport.requests == []


# Time.


async def test_while_one_probes_the_rest_wait_and_follow_when_it_succeeds(sender):
    one = sender()
    await fail(one)
    await one.jump(5)
    one.transport.answer, one.transport.holding = Answer(200, {}, b""), True
    before = len(one.transport.requests)
    await one.take(*(one.flight() for _ in range(6)))
    assert len(one.transport.requests) == before + 1
    one.transport.release()
    one.transport.holding = False
    await one.settle()
    await one.jump(0.3)
    assert len(one.transport.requests) == before + 6
    assert told(one) == [("open", "crm"), ("closed", "crm")]


async def test_what_waits_in_a_slow_lane_is_sent_round_without_anything_else_happening(sender):
    one = sender(in_flight_per_action=2)
    one.transport.holding = True
    await one.take(*(one.flight() for _ in range(8)))
    for _ in range(8):
        await one.jump(0.25)
    assert len(one.written(one.topics.retry("5s"))) == 4
    assert one.delivery._traffic.lanes.waiting == [2, 0]


async def test_a_rate_limit_lets_the_next_start_without_anything_else_happening(sender, action):
    one = sender()
    limited = action(rate_limit=2.0)
    await one.take(*(one.flight(action=limited) for _ in range(3)))
    for seconds, requests in ((0, 1), (0.49, 1), (0.02, 2), (0.51, 3)):
        await one.jump(seconds)
        assert len(one.transport.requests) == requests


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_put_back_or_forward_stops_nothing(sender, hours):
    one = sender(in_flight_per_action=2)
    one.clock.now = now = 10**12
    one.transport.holding = True
    await one.take(*(one.flight() for _ in range(3)))
    await one.jump(0.25)
    one.clock.now += hours * 3_600_000_000
    for timer in one.clock._timers:  # which know nothing of it
        timer.at += hours * 3_600_000_000
    other = {"account_id": "zenith"}
    await one.take(*(one.flight(other, routed_at=now) for _ in range(8)))
    for _ in range(12):
        await one.jump(0.25)
    assert one.delivery._traffic.lanes.waiting[0] <= 1 + 2
    assert len(one.producer.sent) >= 4


async def test_a_retry_is_not_late_by_the_hours_that_the_clock_is_put_forward(sender):
    one = sender()
    await one.take(one.flight(due_at=7200 * 1_000_000))
    one.clock.now += 7200 * 1_000_000
    for timer in one.clock._timers:
        timer.at += 7200 * 1_000_000
    await one.jump(1)
    assert len(one.transport.requests) == 1


# Which partitions are followed, and read.


class Followed:
    """As much of an `EndpointTable` as a stage asks for."""

    def __init__(self):
        self.partitions, self.missing = set(), set()

    def follow(self, partitions):
        self.partitions = set(partitions)

    def loading(self):
        return self.missing

    def poll(self):
        pass


@pytest.fixture
async def stage(sender, reader):
    one = sender(in_flight=4)
    one.endpoints = Followed()
    one.stage = DispatcherStage(
        one.consumer, one.producer, reader, one.delivery, one.endpoints, one.topics,
    )  # fmt: skip
    return one


PARTITIONS = [
    (topic, n) for topic in ("pca.dispatch", "pca.retry.5s", "pca.retry.3h") for n in (0, 1)
]


async def test_states_of_endpoints_are_followed_beside_dispatches(stage):
    stage.stage.assigned(PARTITIONS)
    assert stage.endpoints.partitions == {0, 1}


async def test_what_is_given_back_stays_followed_for_nobody_else_writes_it_meanwhile(
    stage, tracker
):
    stage.stage.assigned(PARTITIONS)
    given = tracker()
    given.revoked = True
    stage.stage.revoked([given])
    assert stage.endpoints.partitions == {0, 1}


async def test_what_was_lost_is_read_anew_for_somebody_else_may_have_written_it(stage, tracker):
    stage.stage.assigned(PARTITIONS)
    lost = tracker()
    lost.revoked = lost.gone = True
    stage.stage.revoked([lost])
    assert stage.endpoints.partitions == set()
    stage.stage.assigned(PARTITIONS)
    assert stage.endpoints.partitions == {0, 1}


async def test_until_its_states_are_loaded_no_topic_of_a_partition_is_read(stage):
    stage.endpoints.missing = {1}
    stage.stage.assigned(PARTITIONS)
    assert set(stage.stage.closed()) == {each for each in PARTITIONS if each[1] == 1}
    stage.endpoints.missing = set()
    assert set(stage.stage.closed()) == set()


async def test_while_many_retries_wait_their_topics_are_not_read_whatever_else_loads(stage):
    stage.stage.assigned(PARTITIONS)
    stage.transport.holding = True
    await stage.take(*(stage.flight(attempt=2) for _ in range(12)))
    retries = {each for each in PARTITIONS if each[0] != "pca.dispatch"}
    assert set(stage.stage.closed()) == retries
    stage.endpoints.missing = {1}
    assert set(stage.stage.closed()) == retries | {("pca.dispatch", 1)}


async def test_a_partition_whose_delayed_dispatches_fill_their_room_is_not_read(stage, monkeypatch):
    stage.stage.assigned(PARTITIONS)
    monkeypatch.setattr(stage.delivery._traffic.delays, "cap", 3)
    await stage.take(stage.flight(due_at=5_000_000))
    assert set(stage.stage.closed()) == {("pca.dispatch", 0)}

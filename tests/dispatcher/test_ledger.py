"""What became of dispatches, as records: topics, keys, and when an offset is complete."""

from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaException

from dispatcher.attempts import Try
from dispatcher.breaker import Breaker, Rules
from dispatcher.ledger import Ledger
from dispatcher.outcome import DEAD, DELIVERED, SKIPPED, Outcome
from dispatcher.schedule import Postponement
from dispatcher.traffic import Moved
from dispatcher.transport import Answer, Trace
from schemas.configuration import action_key
from streaming import metrics

RETRY = Outcome("retry", "5s", 9_000_000)


@pytest.fixture
async def desk(sender, codec):
    """A ledger, and the fakes around it."""
    one = sender()
    one.producer.at_once = False
    one.ledger = Ledger(one.consumer, one.producer, codec, one.topics)
    return one


def ended(flight, outcome=DELIVERED, error="", status=200, endpoint=""):
    answer = None if status is None else Answer(status, {"X": "1"}, b"body")
    return Try(
        flight, 1_000_000, 2_000, None, answer, Trace(), error, "a sentence", outcome, endpoint
    )


def written(desk):
    return [record.topic.removeprefix("pca.") for record in desk.producer.sent]


@pytest.mark.parametrize(
    ("outcome", "error", "topics"),
    [
        (DELIVERED, "", ["attempts"]),
        (SKIPPED, "no_client_id", ["attempts"]),
        (RETRY, "status", ["retry.5s", "attempts"]),
        (DEAD, "status", ["dead", "attempts"]),
    ],
)
async def test_each_outcome_has_its_topics(desk, outcome, error, topics):
    desk.ledger.write([ended(desk.flight(), outcome, error)], [], 0)
    assert written(desk) == topics


async def test_offsets_are_complete_when_the_broker_has_the_very_last_record(desk):
    flights = [desk.flight() for _ in range(3)]
    tries = [ended(flights[0]), ended(flights[1], RETRY, "dns", None)]
    desk.ledger.write(tries, [Moved(flights[2], "open", Postponement("1m", 7))], 0)
    assert len(desk.producer.sent) == 4
    desk.producer.acknowledge(3)
    assert desk.consumer.completed == []
    desk.producer.acknowledge(1)
    assert desk.consumer.completed == [0, 1, 2]


async def test_one_refusal_completes_none_of_them_and_stops_the_process(desk):
    desk.ledger.write([ended(desk.flight()), ended(desk.flight())], [], 0)
    desk.producer.refuse()
    desk.producer.acknowledge()
    assert desk.consumer.completed == []
    assert [type(failure) for failure in desk.consumer.failures] == [KafkaException]


async def test_a_dispatch_that_is_sent_round_keeps_its_attempt_and_its_failure(desk):
    failure = {"error": "dns", "detail": "d", "status": None, "failed_at": 3}
    flight = desk.flight({"sid": "s-9"}, attempt=3, failure=failure)
    desk.ledger.write([], [Moved(flight, "overflow", Postponement("1m", 77))], 0)
    (again,) = desk.written(desk.topics.retry("1m"))
    told = (again["attempt"], again["due_at"], again["failure"], again["call"]["sid"])
    assert told == (3, 77, failure, "s-9")
    assert desk.producer.sent[0].key == action_key("acme", "crm")


async def test_a_paused_one_is_kept_with_the_dead_and_says_so(desk):
    before = metrics.PUT_OFF.labels("paused")._value.get()
    desk.ledger.write([], [Moved(desk.flight(attempt=2, due_at=5), "paused", None)], 8)
    (dead,) = desk.written(desk.topics.dead)
    told = (dead["attempt"], dead["due_at"], dead["failure"]["error"], dead["failure"]["failed_at"])
    assert told == (2, None, "paused", 8)
    assert metrics.PUT_OFF.labels("paused")._value.get() == before + 1


@pytest.mark.parametrize("why", ["open", "paused"])
async def test_what_is_sent_round_makes_no_attempt(desk, why):
    to = None if why == "paused" else Postponement("5s", 1)
    desk.ledger.write([], [Moved(desk.flight(), why, to)], 0)
    assert desk.written(desk.topics.attempts) == []


@pytest.mark.parametrize("outcome", [RETRY, DEAD])
async def test_for_a_partition_that_is_gone_only_the_attempt_is_written(desk, outcome):
    """And nothing of it is done: the last commit may yet come, and would say so."""
    desk.tracker.gone = True
    moved = [
        Moved(desk.flight(), "open", Postponement("5s", 1)), Moved(desk.flight(), "paused", None),
    ]  # fmt: skip
    desk.ledger.write([ended(desk.flight(), outcome, "status", 500)], moved, 0)
    desk.producer.acknowledge()
    assert (written(desk), desk.consumer.completed) == (["attempts"], [])


async def test_what_was_delivered_is_done_even_so(desk):
    desk.tracker.gone = True
    desk.ledger.write([ended(desk.flight()), ended(desk.flight(), RETRY, "dns", None)], [], 0)
    desk.producer.acknowledge()
    assert desk.consumer.completed == [0]


async def test_nothing_to_write_at_all_hangs_nothing(desk):
    desk.tracker.gone = True
    desk.ledger.write([], [Moved(desk.flight(), "open", Postponement("5s", 1))], 0)
    assert (written(desk), desk.consumer.completed) == ([], [])


async def test_an_attempt_says_what_became_of_the_endpoint_and_whose_the_failure_is(desk):
    desk.ledger.write([ended(desk.flight(), RETRY, "connect", None, "opened")], [], 0)
    (attempt,) = desk.written(desk.topics.attempts)
    told = (attempt["endpoint"], attempt["fault"], attempt["next_at"], attempt["status"])
    assert told == ("opened", "customer", 9_000_000, None)


# States of endpoints.


def failing(times=5):
    breaker = Breaker(Rules(), 0)
    for _ in range(times):
        change = breaker.failed(breaker.starts(), 0, "connect", "refused")
    return change, breaker


async def test_a_state_is_keyed_by_its_action_and_no_offset_waits_for_it(desk):
    desk.ledger.publish({"acme/crm": failing()}, 5)
    (record,) = desk.written(desk.topics.endpoints)
    told = (record["account_id"], record["action_id"], record["state"], record["updated_at"])
    assert told == ("acme", "crm", "open", 5)
    assert desk.producer.sent[0].key == "acme/crm"
    desk.producer.acknowledge()
    assert (desk.consumer.completed, desk.consumer.failures) == ([], [])


async def test_a_state_that_the_broker_refuses_stops_the_process(desk):
    desk.ledger.publish({"acme/crm": failing()}, 5)
    desk.producer.refuse()
    assert [type(failure) for failure in desk.consumer.failures] == [KafkaException]


@pytest.mark.parametrize(
    ("change", "level"),
    [("opened", "INFO"), ("closed", "INFO"), ("resumed", "INFO"), ("warned", "WARNING"),
     ("paused", "WARNING"), ("probed", None), ("noted", None)],
)  # fmt: skip
async def test_what_somebody_should_know_is_logged(desk, caplog, change, level):
    caplog.set_level("INFO")
    desk.ledger.publish({"acme/crm": (change, failing()[1])}, 5)
    said = [(r.levelname, r.account, r.action) for r in caplog.records]
    assert said == ([(level, "acme", "crm")] if level else [])


async def test_it_is_behind_when_the_broker_owes_twenty_thousand_answers(desk):
    desk.producer.waiting = [SimpleNamespace()] * 19_999
    assert not desk.ledger.is_behind()
    desk.producer.waiting.append(SimpleNamespace())
    assert desk.ledger.is_behind()

"""The consumer thread's side: records in, flights out, garbage kept."""

import pytest
from confluent_kafka import KafkaException, Message

from dispatcher.stage import DispatcherStage
from schemas.released import current


class FakeEndpoints:
    """States of endpoints that are loaded when the test says so."""

    def __init__(self):
        self.followed, self.missing, self.polled = set(), set(), 0

    def follow(self, partitions):
        self.followed = set(partitions)

    def loading(self):
        return self.missing

    def poll(self):
        self.polled += 1


@pytest.fixture
async def stage(sender, reader):
    """A stage on top of a delivery between fakes."""
    one = sender()
    one.endpoints = FakeEndpoints()
    one.stage = DispatcherStage(
        one.consumer, one.producer, reader, one.delivery, one.endpoints, one.topics,
    )  # fmt: skip
    one.producer.at_once = False
    return one


def record(value, offset=0, key=b"crm"):
    return Message(topic="pca.dispatch", partition=2, offset=offset, key=key, value=value)


async def test_a_batch_is_handed_over_and_delivered(stage, wire, dispatch):
    one = stage
    one.stage.take([(one.tracker, record(wire(dispatch()), n)) for n in range(3)])
    await one.settle()
    assert len(one.transport.requests) == 3


GARBAGE = {
    "null_value": None,
    "not_avro": b"{}",
    "unknown_schema": b"\xc3\x01" + b"\x00" * 20,
    "wrong_record": current("Action").header + b"\x00",
    "malformed": current("Dispatch").header + b"\xff",
}


@pytest.mark.parametrize(("reason", "value"), GARBAGE.items(), ids=GARBAGE)
async def test_what_cannot_be_read_is_kept_as_it_came_with_the_reason(stage, reason, value):
    stage.stage.take([(stage.tracker, record(value, 7))])
    (kept,) = stage.producer.sent
    place = tuple(kept.headers[name] for name in ("topic", "partition", "offset"))
    assert (kept.topic, kept.key, kept.value) == (stage.topics.dead, b"crm", value)
    assert (kept.headers["reason"], place) == (reason, ("pca.dispatch", "2", "7"))


async def test_the_offset_of_what_cannot_be_read_is_complete_when_the_broker_has_it(stage):
    stage.stage.take([(stage.tracker, record(b"{}", 7))])
    assert stage.consumer.completed == []
    stage.producer.acknowledge()
    assert stage.consumer.completed == [7]


async def test_when_even_that_is_refused_the_loop_fails(stage):
    stage.stage.take([(stage.tracker, record(b"{}"))])
    stage.producer.refuse()
    assert stage.consumer.completed == []
    assert [type(failure) for failure in stage.consumer.failures] == [KafkaException]


async def test_one_bad_record_does_not_keep_its_neighbours(stage, wire, dispatch):
    batch = [record(wire(dispatch()), 0), record(b"{}", 1), record(wire(dispatch()), 2)]
    stage.stage.take([(stage.tracker, message) for message in batch])
    await stage.settle()
    assert len(stage.transport.requests) == 2


async def test_an_action_that_idna_cannot_write_stops_nobody(stage, wire, dispatch, action):
    one = action("http://ä..example/")
    stage.stage.take([(stage.tracker, record(wire(dispatch(action=one))))])
    await stage.settle()
    (dead,) = stage.written(stage.topics.dead)
    assert dead["failure"]["error"] == "unrenderable"


async def test_a_revoked_partition_is_given_back(stage, wire, dispatch):
    stage.stage.take([(stage.tracker, record(wire(dispatch(due_at=5_000_000))))])
    await stage.settle()
    stage.tracker.revoked = True
    stage.stage.revoked([stage.tracker])
    await stage.settle()
    assert stage.consumer.abandoned == [(stage.tracker, 1)]

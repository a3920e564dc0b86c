"""What is made of messages, without a broker."""

import pytest
from confluent_kafka import KafkaError, Message

from streaming.offsets import OffsetTracker
from streaming.reading import noted

BROKEN = KafkaError(KafkaError._ALL_BROKERS_DOWN)


def message(offset, topic="t", partition=0, error=None):
    return Message(topic=topic, partition=partition, offset=offset, error=error)


@pytest.fixture
def trackers():
    return {(topic, 0): OffsetTracker(topic, 0, 0, "") for topic in ("t", "u")}


def test_records_are_noted_in_their_order_and_counted_by_topic(trackers):
    messages = [message(0), message(0, topic="u"), message(1)]
    reading = noted(messages, trackers)
    assert [one for _, one in reading.batch] == messages
    assert [tracker.topic for tracker, _ in reading.batch] == ["t", "u", "t"]
    assert (reading.counts, reading.repeats, reading.errors) == ({"t": 2, "u": 1}, 0, [])
    assert trackers["t", 0].in_hand == 2


def test_what_was_done_before_is_left_out():
    done = OffsetTracker("t", 0, 0, "")
    for offset in range(3):
        done.read(offset)
    done.complete(1, 2)
    offset, metadata = done.commit()
    reading = noted(
        [message(0), message(1), message(2)], {("t", 0): OffsetTracker("t", 0, offset, metadata)}
    )
    assert [one.offset() for _, one in reading.batch] == [0, 2]
    assert (reading.repeats, reading.counts) == (1, {"t": 2})


def test_what_was_fetched_of_a_partition_that_is_gone_is_left_out(trackers):
    reading = noted([message(0, partition=1), message(0)], trackers)
    assert [one.partition() for _, one in reading.batch] == [0]
    assert reading.counts == {"t": 1}


def test_an_error_among_the_records_stops_none_of_them(trackers):
    reading = noted([message(0), message(-1, error=BROKEN), message(1)], trackers)
    assert len(reading.batch) == 2
    assert reading.errors == [BROKEN]

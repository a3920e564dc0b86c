"""What a partition's queue makes of the broker's answers."""

import struct

import pytest
from confluent_kafka import KafkaError

from streaming.broker import Identity
from streaming.partition_queue import FULL, NOBODY, PartitionQueue

DUPLICATE, UNKNOWN_PRODUCER = 46, 59


class Reports:
    def __init__(self):
        self.codes = []

    def __call__(self, error, _):
        self.codes.append(error.code())


@pytest.fixture
def reports():
    return Reports()


@pytest.fixture
def queue(reports):
    """Two records of one set, sealed, about to be sent to leader 1."""
    one = PartitionQueue("t", 0)
    one.leader = 1
    one.identify(Identity(7, 0))
    for value in (b"a", b"b"):
        one.add(b"k", value, reports)
    one.seal()
    return one


def known_by(queue):
    """Producer id and sequence number of the batch that is sent next."""
    return struct.unpack_from(">q2xi", queue.encode(0), 43)


@pytest.mark.parametrize("code", [KafkaError.NO_ERROR, DUPLICATE])
def test_what_the_broker_has_is_done_with(queue, reports, code):
    batch = queue.answered(code)
    assert (batch.count, len(queue), reports.codes) == (2, 0, [])


def test_the_next_batch_goes_on_counting(queue, reports):
    queue.answered(KafkaError.NO_ERROR)
    queue.add(b"k", b"c", reports)
    queue.seal()
    assert known_by(queue) == (7, 2)


def test_numbers_start_again_after_the_last_of_32_bits(queue, reports):
    queue._sequence = 0x7FFFFFFF
    queue.answered(KafkaError.NO_ERROR)
    queue.add(b"k", b"c", reports)
    queue.seal()
    assert known_by(queue) == (7, 1)


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        KafkaError.INVALID_MSG,
    ],
)
def test_what_may_pass_is_sent_again_unchanged_to_whoever_leads_then(queue, reports, code):
    before = queue.encode(0)
    queue.add(b"k", b"later", reports)
    assert queue.answered(code) is None
    assert (queue.leader, queue.encode(5), reports.codes) == (NOBODY, before, [])


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
        KafkaError.INVALID_PRODUCER_EPOCH,
        UNKNOWN_PRODUCER,
    ],
)
def test_a_producer_that_the_broker_forgot_begins_anew_and_loses_nothing(queue, reports, code):
    queue._sequence = 40
    assert queue.answered(code) is None
    assert queue.identity is None
    queue.identify(Identity(8, 0))
    assert (known_by(queue), len(queue), reports.codes) == ((8, 0), 1, [])


@pytest.mark.parametrize(
    "code", [KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.TOPIC_AUTHORIZATION_FAILED, -1]
)
def test_what_is_refused_for_good_is_told_to_whoever_sent_it(queue, reports, code):
    batch = queue.answered(code)
    assert (batch.count, len(queue), reports.codes) == (2, 0, [code])


def test_after_a_refusal_nothing_can_be_taken_for_what_was_refused(queue, reports):
    """It may have been written by a try whose answer was lost."""
    queue.answered(KafkaError.MSG_SIZE_TOO_LARGE)
    assert queue.identity is None


def test_each_set_in_a_batch_is_told_once(queue, reports):
    other = Reports()
    queue.answered(KafkaError.NO_ERROR)
    for of in (reports, reports, other, other):
        queue.add(b"k", b"v", of)
    queue.seal()
    queue.answered(KafkaError.MSG_SIZE_TOO_LARGE)
    assert (reports.codes, other.codes) == ([10], [10])


def test_no_more_gathers_than_a_batch_may_have(reports):
    queue = PartitionQueue("t", 0)
    for _ in range(5):
        queue.add(b"k", b"v" * (FULL // 2 - 100), reports)
    assert len(queue) == 3


def test_a_record_that_is_larger_goes_alone(reports):
    queue = PartitionQueue("t", 0)
    for size in (10, 2 * FULL, 10):
        queue.add(b"k", b"v" * size, reports)
    assert len(queue) == 3

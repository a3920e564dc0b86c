"""The producer on a real broker: acknowledged, refused, or waiting for ever."""

from contextlib import closing

import pytest
from confluent_kafka import KafkaError, KafkaException
from reluctant_leader import ReluctantLeader

from streaming.producer import Producer


@pytest.fixture
def made(settings):
    """`made({"message.max.bytes": "2000"})`: a producer with properties of its own."""
    started = []

    def build(properties=None, timeout=None, kafka=None):
        own = {"kafka": (kafka or settings.kafka) | (properties or {})}
        one = Producer(settings.model_copy(update=own), "test", timeout)
        started.append(one)
        return one

    yield build
    for one in started:
        one.close(0)


def test_what_is_acknowledged_lies_in_the_topic(made, topics, read, answer):
    acks, wait = answer()
    made().send(topics.unrouted, b"k", b"v", acks, partition=2, headers=[("reason", "why")])
    acks.seal()
    assert wait() is None
    (found,) = read(topics.unrouted)
    kept = (found.partition(), found.key(), found.value(), found.headers())
    assert kept == (2, b"k", b"v", [("reason", b"why")])


def test_of_many_records_together_each_is_acknowledged(made, topics, read, answer):
    acks, wait = answer()
    made().send_all(topics.unrouted, [(b"k%d" % n, b"v%d" % n) for n in range(100)], acks)
    acks.seal()
    assert wait() is None
    found = {(one.key(), one.value()) for one in read(topics.unrouted)}
    assert found == {(b"k%d" % n, b"v%d" % n) for n in range(100)}


def test_a_null_value_is_a_tombstone(made, topics, read, answer):
    acks, wait = answer()
    made().send(topics.config, b"k", None, acks)
    acks.seal()
    wait()
    assert [message.value() for message in read(topics.config)] == [None]


def test_a_full_queue_makes_the_sender_wait_and_loses_nothing(made, topics, read, answer):
    one, (acks, wait) = made({"queue.buffering.max.messages": "3"}), answer()
    for n in range(100):
        one.send(topics.calls, b"k", b"%d" % n, acks)
    acks.seal()
    assert wait() is None
    assert [message.value() for message in read(topics.calls)] == [b"%d" % n for n in range(100)]


def test_a_record_that_can_never_be_sent_is_refused_at_once(made, topics, answer):
    with pytest.raises(KafkaException) as refused:
        made({"message.max.bytes": "2000"}).send(topics.calls, b"k", b"x" * 5000, answer()[0])
    assert refused.value.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_a_record_that_the_topic_does_not_take_is_told(made, topics, answer):
    one, (acks, wait) = made({"compression.type": "none"}), answer()
    one.send(topics.dispatch, b"k", b"x" * (3 * 1024 * 1024), acks)
    one.send(topics.dispatch, b"k", b"small", acks)
    acks.seal()
    assert wait().code() == KafkaError.MSG_SIZE_TOO_LARGE


@pytest.fixture
def nowhere(unused_tcp_port):
    return {"bootstrap.servers": f"127.0.0.1:{unused_tcp_port}"}


def test_without_kafka_records_wait(made, nowhere, answer):
    one, (acks, _) = made(kafka=nowhere), answer()
    one.send("pca.calls", b"k", b"v", acks)
    assert one.close(0.1) >= 1


def test_with_a_timeout_they_fail_after_it(made, nowhere, answer):
    one, (acks, wait) = made(kafka=nowhere, timeout=0.3), answer()
    one.send("pca.calls", b"k", b"v", acks)
    acks.seal()
    assert wait().code() == KafkaError._MSG_TIMED_OUT


def test_nothing_is_acknowledged_before_the_broker_has_it(settings, topics, answer):
    one, (acks, wait) = Producer(settings, "test", linger=600.0), answer()
    one.send(topics.calls, b"k", b"v", acks)
    acks.seal()
    assert (len(one), wait.heard) == (1, [])
    assert (one.close(20), wait()) == (0, None)


def test_closing_waits_for_the_broker(made, topics, answer):
    one, (acks, wait) = made(), answer()
    for _ in range(1000):
        one.send(topics.calls, b"k", b"v", acks)
    acks.seal()
    assert (one.close(20), wait()) == (0, None)


def test_what_a_leader_refused_is_written_before_what_was_sent_after_it(
    made, kafka, topics, read, answer
):
    with closing(ReluctantLeader(kafka.bootstrap, topics.unrouted)) as leader:
        one, (acks, wait) = made({"bootstrap.servers": leader.bootstrap}), answer()
        one.send(topics.unrouted, b"k", b"first", acks, partition=0)
        assert leader.refusing.wait(20)
        one.send(topics.unrouted, b"k", b"second", acks, partition=0)
        acks.seal()
        assert wait() is None
    assert [message.value() for message in read(topics.unrouted)] == [b"first", b"second"]

"""The batch producer on a real broker: nothing lost, nothing twice, nothing out of order."""

import random
import threading
import time

import pytest
from acknowledged import acknowledged
from broker_proxy import LOSE_ANSWER, PASS, Scripted
from confluent_kafka import KafkaError

from streaming import batch_producer
from streaming.acks import Acks
from streaming.batch_producer import BatchProducer
from streaming.partitions import partition_of
from streaming.producer import SILENCE, Producer
from streaming.producers import producer_for

NOT_LEADER, OUT_OF_ORDER, UNKNOWN_PRODUCER, TOO_LARGE = 6, 45, 59, 10
PARTITIONS = 4


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"dispatch_partitions": PARTITIONS})


@pytest.fixture
def made(settings, topics):
    """`made()`: a producer, of another Kafka where one is given."""
    started = []

    def build(bootstrap=None):
        kafka = settings.kafka | ({} if bootstrap is None else {"bootstrap.servers": bootstrap})
        one = BatchProducer(settings.model_copy(update={"kafka": kafka}), "test", topics)
        started.append(one)
        return one

    yield build
    for one in started:
        one.close(0)


@pytest.fixture
def behind(kafka):
    """`behind(6, LOSE_ANSWER)`: a proxy that says so of the first produce requests."""
    started = []

    def start(*script):
        proxy = Scripted(kafka.bootstrap, *script)
        started.append(proxy)
        return proxy

    yield start
    for proxy in started:
        proxy.close()


def numbered(count, keys=1):
    return [(f"k{n % keys}", b"%d" % n) for n in range(count)]


def numbers(messages):
    """The values of what lies in a topic."""
    return [int(one.value()) for one in messages]


def test_what_is_acknowledged_lies_in_the_partition_of_its_key(made, topics, read):
    with acknowledged() as acks:
        made().send_all(topics.dispatch, numbered(100, keys=10), acks)
    found = read(topics.dispatch)
    assert sorted(numbers(found)) == list(range(100))
    for one in found:
        assert one.partition() == partition_of(one.key().decode(), PARTITIONS)


def test_records_of_one_key_stay_in_order(made, topics, read):
    one, dice, count = made(), random.Random(7), 0
    with acknowledged() as acks:
        for _ in range(200):
            size = dice.randrange(1, 60)
            records = [("k", b"%d" % n) for n in range(count, count + size)]
            one.send_all(topics.dispatch, records, acks)
            count += size
    assert numbers(read(topics.dispatch)) == list(range(count))


def test_more_than_a_batch_of_incompressible_records_come_in_order(made, topics, read):
    dice = random.Random(7)
    values = [b"%d " % n + dice.randbytes(300_000) for n in range(20)]
    with acknowledged() as acks:
        made().send_all(topics.dispatch, [("k", value) for value in values], acks)
    assert [one.value() for one in read(topics.dispatch)] == values


def test_partitions_of_more_than_a_request_take_turns(made, topics, read):
    dice = random.Random(7)
    records = [(f"k{n}", b"%d " % n + dice.randbytes(400_000)) for n in range(12)]
    with acknowledged() as acks:
        made().send_all(topics.dispatch, records, acks)
    assert {one.value() for one in read(topics.dispatch)} == {value for _, value in records}


def test_all_partitions_go_in_one_request(made, behind, topics):
    proxy = behind(NOT_LEADER)
    one = made(proxy.bootstrap)
    with acknowledged() as acks:
        one.send_all(topics.dispatch, numbered(40, keys=40), acks)
    every = {(topics.dispatch, number) for number in range(PARTITIONS)}
    # A broker may not lead yet what it was just made the leader of: some are asked for again.
    assert [set(request) for request in proxy.requests[:2]] == [every, every]


def test_an_answer_that_is_lost_costs_no_duplicate(made, behind, topics, read):
    one = made(behind(PASS, LOSE_ANSWER, LOSE_ANSWER).bootstrap)
    for start in range(0, 40, 10):
        with acknowledged() as acks:
            one.send_all(topics.dispatch, numbered(40, keys=4)[start : start + 10], acks)
    assert sorted(numbers(read(topics.dispatch))) == list(range(40))


def test_what_a_leader_refused_is_written_before_what_was_sent_after_it(made, behind, topics, read):
    one = made(behind(PASS, NOT_LEADER, NOT_LEADER).bootstrap)
    with acknowledged() as acks:
        for n in range(30):
            one.send_all(topics.dispatch, [("k", b"%d" % n)], acks)
            time.sleep(0)
    assert numbers(read(topics.dispatch)) == list(range(30))


@pytest.mark.parametrize("code", [OUT_OF_ORDER, UNKNOWN_PRODUCER])
def test_a_producer_that_the_broker_forgot_loses_nothing(made, behind, topics, read, code):
    one = made(behind(PASS, code).bootstrap)
    for n in range(3):
        with acknowledged() as acks:
            one.send_all(topics.dispatch, [("k", b"%d" % n)], acks)
    assert numbers(read(topics.dispatch)) == [0, 1, 2]


def test_what_is_refused_for_good_is_told_and_what_follows_is_written(
    made, behind, topics, read, answer
):
    one, (acks, wait) = made(behind(TOO_LARGE).bootstrap), answer()
    one.send_all(topics.dispatch, [("k", b"0")], acks)
    acks.seal()
    assert wait().code() == KafkaError.MSG_SIZE_TOO_LARGE
    with acknowledged() as acks:
        one.send_all(topics.dispatch, [("k", b"1")], acks)
    assert numbers(read(topics.dispatch)) == [1]


def test_a_record_that_the_topic_does_not_take_is_told(made, topics, answer):
    acks, wait = answer()
    value = random.Random(7).randbytes(3 * 1024 * 1024)
    made().send_all(topics.dispatch, [("k", value)], acks)
    acks.seal()
    assert wait().code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_what_waits_for_records_is_told_before_they_are_no_longer_counted(made, topics):
    one, counts, told = made(), [], threading.Event()
    acks = Acks(lambda error: (counts.append(len(one)), told.set()))
    one.send_all(topics.dispatch, [("k", b"v")], acks)
    acks.seal()
    assert told.wait(20)
    assert counts == [1]


def test_a_topic_that_is_gone_for_long_is_an_error(made, topics, admin, monkeypatch, answer):
    monkeypatch.setattr(batch_producer, "GONE", 0.2)
    admin.delete_topics([topics.dispatch])[topics.dispatch].result(20)
    while topics.dispatch in admin.list_topics(timeout=20).topics:
        pass
    one, (acks, wait) = made(), answer()
    one.send_all(topics.dispatch, [("k", b"v")], acks)
    acks.seal()
    assert wait().code() == KafkaError._UNKNOWN_TOPIC


@pytest.fixture
def nowhere(made, unused_tcp_port):
    return made(f"127.0.0.1:{unused_tcp_port}")


def test_without_kafka_records_wait_and_nothing_more_is_to_be_taken_in(nowhere, topics):
    acks = Acks(lambda error: None)
    nowhere.send_all(topics.dispatch, numbered(3), acks)
    assert len(nowhere) == 3
    deadline = time.monotonic() + 20
    while not nowhere.is_unanswered():
        assert time.monotonic() < deadline
        time.sleep(SILENCE / 10)
    assert nowhere.close(0.1) == 3


LITTLE = 10_000


@pytest.fixture
def little_room(monkeypatch):
    monkeypatch.setattr(batch_producer, "MOST_BYTES", LITTLE)


def test_who_sends_more_than_there_is_room_for_waits_for_the_broker(
    little_room, made, topics, read
):
    one = made()
    with acknowledged() as acks:
        for n in range(200):
            one.send_all(topics.dispatch, [("k", b"%0999d" % n)], acks)
            assert one._bytes < LITTLE + 1100
    assert (one.close(20), one._bytes) == (0, 0)
    assert numbers(read(topics.dispatch)) == list(range(200))


def test_who_waits_for_room_is_let_go_at_the_end(little_room, nowhere, topics):
    acks = Acks(lambda error: None)
    nowhere.send_all(topics.dispatch, [("k", bytes(LITTLE))], acks)
    more = (topics.dispatch, [("k", b"more")], acks)
    sender = threading.Thread(target=nowhere.send_all, args=more)
    sender.start()
    nowhere.close(0.1)
    sender.join(20)
    assert not sender.is_alive()


def test_who_waits_for_room_is_told_what_ended_a_thread(little_room, nowhere, topics):
    acks = Acks(lambda error: None)
    nowhere.send_all(topics.dispatch, [("k", bytes(LITTLE))], acks)
    nowhere._start("doomed", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        nowhere.send_all(topics.dispatch, [("k", b"more")], acks)


def test_what_ends_a_thread_is_raised_where_the_stage_asks(made):
    one, reason = made(), ValueError("reason")

    def fail():
        raise reason

    one._start("doomed", fail)
    one._threads[-1].join(10)
    with pytest.raises(ValueError, match="reason"):
        one.is_unanswered()


def test_one_that_has_nothing_to_send_is_not_unanswered(made):
    one = made()
    one._heard_at -= 100
    assert not one.is_unanswered()


def test_closing_waits_for_the_broker(made, topics, read):
    one, acks = made(), Acks(lambda error: None)
    one.send_all(topics.dispatch, numbered(1000, keys=9), acks)
    acks.seal()
    assert one.close(20) == 0
    assert len(read(topics.dispatch)) == 1000


def test_other_records_go_through_librdkafka_and_are_counted_too(made, topics, read):
    one = made()
    with acknowledged() as acks:
        one.send(topics.unrouted, b"k", b"v", acks, headers=[("reason", "why")])
        one.send_all(topics.dispatch, [("k", b"1")], acks)
    (kept,) = read(topics.unrouted)
    assert (kept.value(), kept.headers(), len(one)) == (b"v", [("reason", b"why")], 0)


@pytest.mark.parametrize(
    "asked",
    [
        {"security.protocol": "SSL"},
        {"sasl.mechanisms": "PLAIN"},
        {"compression.type": "zstd"},
        {"linger.ms": "5"},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_who_asks_for_something_of_librdkafka_gets_librdkafka(settings, topics, asked):
    asking = settings.model_copy(update={"kafka": settings.kafka | asked})
    one = producer_for(asking, "test", topics)
    one.close(0)
    assert type(one) is Producer


def test_who_asks_for_nothing_gets_the_quick_one(settings, topics):
    asking = {"security.protocol": "plaintext", "session.timeout.ms": "6000"}
    one = producer_for(
        settings.model_copy(update={"kafka": settings.kafka | asking}), "test", topics
    )
    one.close(0)
    assert type(one) is BatchProducer

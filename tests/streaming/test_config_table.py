"""The config table on a real broker."""

import threading
import time
import uuid

import confluent_kafka
import pytest

from streaming.config_table import ConfigTable


class Followed(ConfigTable):
    """A config table with a way to wait."""

    def until(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            self.poll()

    def until_loaded(self):
        self.until(lambda: not self.loading())


@pytest.fixture
def followed(settings, topics, table):
    """`followed([0, 2])`: a table that follows these partitions."""
    started = []

    def start(partitions):
        one = Followed(settings, topics.config, table)
        started.append(one)
        one.follow(partitions)
        return one

    yield start
    for one in started:
        one.close()


@pytest.fixture
def abort(settings, topics):
    """Write records into a partition in a transaction that is then given up."""

    def build(partition, *records):
        one = confluent_kafka.Producer(
            {**settings.kafka, "transactional.id": uuid.uuid4().hex, "retry.backoff.ms": 10}
        )
        one.init_transactions(20)
        one.begin_transaction()
        for key, value in records:
            one.produce(topics.config, value, key, partition)
        one.flush(20)
        one.abort_transaction(20)

    return build


def test_everything_that_lay_there_is_loaded(topics, table, write, followed):
    write(topics.config, *((b"k%d" % n, b"v%d" % n) for n in range(1000)), partition=1)
    followed([1]).until_loaded()
    assert table.partitions == {1: {b"k%d" % n: b"v%d" % n for n in range(1000)}}


def test_other_partitions_are_not_loaded(topics, table, write, followed):
    write(topics.config, (b"a", b"v"), partition=0)
    write(topics.config, (b"b", b"v"), partition=2)
    followed([2]).until_loaded()
    assert table.partitions == {2: {b"b": b"v"}}


def test_a_partition_is_loading_until_its_end_was_read(topics, write, followed):
    write(topics.config, (b"k", b"v"), partition=1)
    assert set(followed([0, 1]).loading()) == {1}


def test_empty_partitions_are_loaded_at_once(followed):
    assert not followed([0, 1, 2]).loading()


def test_a_tombstone_deletes(topics, table, write, followed):
    write(topics.config, (b"k", b"v"), (b"l", b"w"), (b"k", None), partition=0)
    followed([0]).until_loaded()
    assert table.partitions == {0: {b"l": b"w"}}


def test_the_newest_value_counts(topics, table, write, followed):
    write(topics.config, (b"k", b"old"), (b"k", b"new"), partition=0)
    followed([0]).until_loaded()
    assert table.partitions == {0: {b"k": b"new"}}


def test_a_partition_that_ends_in_a_transaction_given_up_is_loaded(
    topics, table, write, abort, followed
):
    write(topics.config, (b"k", b"v"), partition=0)
    abort(0, (b"k", b"never"))
    followed([0]).until_loaded()
    assert table.partitions == {0: {b"k": b"v"}}


def test_a_partition_of_nothing_but_a_transaction_given_up_is_loaded(table, abort, followed):
    abort(1, (b"k", b"never"))
    followed([1]).until_loaded()
    assert table.partitions == {}


def test_a_small_configuration_is_loaded_in_a_moment(topics, write, followed):
    write(topics.config, (b"k", b"v"), partition=0)
    write(topics.config, (b"k", b"v"), partition=1)
    took = []
    for _ in range(5):  # the quickest: others may be busy here
        began = time.monotonic()
        followed([0, 1, 2]).until_loaded()
        took.append(time.monotonic() - began)
    assert min(took) < 0.6  # 0.05 s here; it was 1.05


def test_an_update_arrives_within_a_second(topics, table, write, followed):
    one = followed([0, 1, 2])
    one.until_loaded()
    write(topics.config, (b"k", b"v"), partition=1)
    began = time.monotonic()
    one.until(lambda: table.partitions == {1: {b"k": b"v"}})
    assert time.monotonic() - began < 1


def test_what_stays_followed_is_not_loaded_again(topics, table, write, followed):
    write(topics.config, (b"k", b"v"), partition=0)
    one = followed([0, 1])
    one.until_loaded()
    table.dropped.clear()
    one.follow([0, 2])
    assert (table.partitions, sorted(table.dropped)) == ({0: {b"k": b"v"}}, [1, 2])


def test_what_stays_followed_still_gets_updates(topics, table, write, followed):
    one = followed([0, 1])
    one.follow([0])
    write(topics.config, (b"k", b"v"), partition=0)
    one.until(lambda: table.partitions == {0: {b"k": b"v"}})


def test_what_is_not_followed_any_more_is_forgotten_and_stays_so(topics, table, write, followed):
    write(topics.config, (b"k", b"v"), partition=0)
    one = followed([0, 1])
    one.until_loaded()
    one.follow([1])
    write(topics.config, (b"k", b"later"), partition=0)
    write(topics.config, (b"sign", b"v"), partition=1)
    one.until(lambda: 1 in table.partitions)
    assert 0 not in table.partitions


def test_a_partition_that_comes_back_is_loaded_anew_with_what_was_deleted_meanwhile(
    topics, table, write, followed
):
    write(topics.config, (b"k", b"v"), (b"l", b"w"), partition=0)
    one = followed([0])
    one.until_loaded()
    one.follow([])
    write(topics.config, (b"k", None), partition=0)
    one.follow([0])
    assert set(one.loading()) == {0}
    one.until_loaded()
    assert table.partitions == {0: {b"l": b"w"}}


def test_records_written_while_it_loads_do_not_keep_it_loading(topics, table, write, followed):
    write(topics.config, *((b"%d" % n, b"v") for n in range(100)), partition=0)
    one, ended = followed([0]), threading.Event()

    def write_on():
        while not ended.is_set():
            write(topics.config, (b"more", b"v"), partition=0)

    thread = threading.Thread(target=write_on)
    thread.start()
    try:
        one.until_loaded()
    finally:
        ended.set()
        thread.join()
    assert len(table.partitions[0]) >= 100


def test_polling_without_partitions_does_nothing(followed):
    followed([]).poll()

"""Builders on the real broker: records in, records out, loops in threads, tables that remember."""

from __future__ import annotations

import threading
import time

import pytest
from acknowledged import acknowledged
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from streaming import consumer as consumer_module
from streaming.acks import Acks
from streaming.consumer import ConsumerLoop
from streaming.producer import Producer
from streaming.settings import load

PATIENCE = 20.0
"""Seconds until a test that waits for something gives up."""


@pytest.fixture
def settings(settings):
    """As few partitions as will do: each is files that the broker has to make."""
    few = {"dispatch_partitions": 1, "dispatcher_retry_schedule": ("1s",)}
    return settings.model_copy(update=few | {"commit_interval": 0.05, "stop_deadline": 0.5})


@pytest.fixture(scope="session")
def producer(kafka):
    """One for all tests: a new one needs a second to be given its id."""
    one = Producer(load(kafka={"bootstrap.servers": kafka.bootstrap}), "test")
    yield one
    one.close(1)


@pytest.fixture
def answer():
    """`answer()`: an Acks and a function that waits for its one call."""

    def build():
        done, heard = threading.Event(), []
        acks = Acks(lambda error: (heard.append(error), done.set()))

        def wait():
            assert done.wait(20)
            return heard[0]

        wait.heard = heard
        return acks, wait

    return build


@pytest.fixture
def write(producer):
    """`write(topic, (key, value), partition=0)`: records that the broker has."""

    def send(topic, *records, partition=-1):
        with acknowledged(PATIENCE) as acks:
            for key, value in records:
                producer.send(topic, key, value, acks, partition=partition)

    return send


@pytest.fixture
def read(settings):
    """`read(topic)`: every record that lies there now."""

    def read_all(topic):
        one = Consumer(
            {
                **settings.kafka,
                "group.id": "reader",
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            }
        )
        partitions = one.list_topics(topic).topics[topic].partitions
        one.assign([TopicPartition(topic, number, 0) for number in partitions])
        found, ended = [], 0
        while ended < len(partitions):
            for message in one.consume(100, 0.05):
                if message.error() is None:
                    found.append(message)
                else:
                    assert message.error().code() == KafkaError._PARTITION_EOF
                    ended += 1
        one.close()
        return found

    return read_all


class RecordingStage:
    """Remembers what it was given; completes at once what it does not hold."""

    def __init__(self):
        self.taken, self.held, self.assignments, self.lost = [], [], [], []
        self.holding, self.room, self.shut, self.batches = False, True, set(), 0
        self.answered = True
        self.loop: ConsumerLoop
        self._changed = threading.Condition()

    def assigned(self, partitions):
        with self._changed:
            self.assignments.append(sorted(partitions))
            self._changed.notify_all()

    def revoked(self, trackers):
        with self._changed:
            self.lost += trackers
            self._changed.notify_all()

    def take(self, batch):
        with self._changed:
            self.batches += 1
            for tracker, message in batch:
                self.taken.append((tracker.partition, message.offset(), message.value()))
                if self.holding:
                    self.held.append((tracker, message.offset(), message.offset() + 1))
                else:
                    self.loop.complete([(tracker, message.offset(), message.offset() + 1)])
            self._changed.notify_all()

    def has_room(self):
        return self.room

    def closed(self):
        return set(self.shut)

    def settled(self):
        with self._changed:
            self._changed.notify_all()
        return self.answered

    def turn(self):
        with self._changed:
            self._changed.notify_all()

    def until(self, condition):
        """Return when it is so; looked at whenever something changes and on every turn."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), self.taken

    def until_taken(self, count):
        self.until(lambda: len(self.taken) >= count)

    def values(self):
        return [value for _, _, value in self.taken]


class Running:
    """A consumer loop in a thread."""

    def __init__(self, settings, topic, waiting):
        group = settings.topic_prefix + "group"
        self.loop = ConsumerLoop(settings, group, [topic, *waiting], waiting)
        self.stage = RecordingStage()
        self.stage.loop = self.loop
        self.error = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def _run(self):
        try:
            self.loop.run(self.stage)
        except Exception as error:
            self.error = error

    def join(self):
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def stop(self):
        self.loop.stop()
        self.join()


@pytest.fixture
def running(settings, topics, monkeypatch):
    """`running(holding=True)`: a member of the group that reads the calls, and `waiting` topics."""
    monkeypatch.setattr(consumer_module, "REVOKE_DRAIN", 0.1)
    started = []

    def start(own_settings=None, waiting=(), **stage):
        one = Running(own_settings or settings, topics.calls, waiting)
        for name, value in stage.items():
            setattr(one.stage, name, value)
        started.append(one)
        return one.start()

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="session")
def admin(kafka):
    return AdminClient({"bootstrap.servers": kafka.bootstrap})


@pytest.fixture
def committed(settings, topics):
    """`committed(0)`: offset and metadata that the group has committed for a partition, of the
    calls where no topic is given."""
    # A consumer that never joins: the admin client's way to ask crashes in librdkafka while the
    # coordinator changes.
    asker = Consumer(dict(settings.kafka) | {"group.id": settings.topic_prefix + "group"})

    def ask(partition, topic=topics.calls):
        wanted = [TopicPartition(topic, partition)]
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                (position,) = asker.committed(wanted, timeout=10)
            except KafkaException:  # the very first group of a broker makes it wait
                assert time.monotonic() < deadline
            else:
                return position.offset, position.metadata or ""

    yield ask
    asker.close()


class RecordingTable:
    """The newest value of each key, by partition."""

    def __init__(self):
        self.partitions, self.dropped = {}, []

    def apply(self, partition, key, value):
        known = self.partitions.setdefault(partition, {})
        if value is None:
            known.pop(key, None)
        else:
            known[key] = value

    def drop(self, partition):
        self.dropped.append(partition)
        self.partitions.pop(partition, None)


@pytest.fixture
def table():
    return RecordingTable()

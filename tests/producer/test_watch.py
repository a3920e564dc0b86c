"""Readiness: asked until answered, and again after a failed delivery."""

from __future__ import annotations

import threading
import time

import pytest

from producer.watch import Watch


class Kafka:
    """Answers, or does not, and counts how often it was asked."""

    def __init__(self) -> None:
        self.away: str | None = None
        self.asked = threading.Semaphore(0)
        self.times = 0

    def __call__(self) -> None:
        self.times += 1
        self.asked.release()
        if self.away:
            raise ConnectionError(self.away)


@pytest.fixture
def kafka():
    return Kafka()


@pytest.fixture
def watch(kafka):
    watch = Watch(kafka, interval=0.01)
    yield watch
    watch.close()


def until(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.001)


def test_it_is_not_ready_before_kafka_answered(watch):
    assert watch.reason == "Kafka has not answered yet"


def test_it_is_ready_once_kafka_answered(watch):
    watch.start()
    until(lambda: watch.reason is None)


def test_it_asks_until_there_is_an_answer(watch, kafka):
    kafka.away = "nobody there"
    watch.start()
    for _ in range(3):
        assert kafka.asked.acquire(timeout=5)
    assert watch.reason == "nobody there"
    kafka.away = None
    until(lambda: watch.reason is None)


def test_a_failed_delivery_is_a_doubt_that_an_answer_ends(watch, kafka):
    watch.start()
    until(lambda: watch.reason is None)
    kafka.away = "gone"
    watch.failed("the last delivery failed")
    until(lambda: watch.reason == "gone")
    kafka.away = None
    until(lambda: watch.reason is None)


def test_a_delivery_ends_the_doubt_as_well(watch):
    watch.failed("the last delivery failed")
    watch.delivered()
    assert watch.reason is None


def test_while_ready_nothing_is_asked(watch, kafka):
    watch.start()
    until(lambda: watch.reason is None)
    asked = kafka.times
    time.sleep(0.05)
    assert kafka.times == asked


def test_it_ends_while_kafka_is_away(watch, kafka):
    kafka.away = "nobody there"
    watch.start()
    assert kafka.asked.acquire(timeout=5)
    watch.close()
    watch._thread.join(5)
    assert not watch._thread.is_alive()

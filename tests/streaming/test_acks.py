"""One call back for a set of records, whatever the order and the threads."""

import os
import signal
import sys
import threading

import pytest
from confluent_kafka import KafkaError

from streaming.acks import Acks

REFUSED = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)


@pytest.fixture
def heard():
    """What was called back."""
    return []


@pytest.fixture
def acks(heard):
    return Acks(heard.append)


def test_a_set_of_nothing_is_complete_when_sealed(acks, heard):
    acks.seal()
    assert heard == [None]


def test_a_set_is_complete_when_the_last_answer_is_in(acks, heard):
    unanswered = [acks.reports, acks.reports]
    acks.seal()
    unanswered.pop()
    assert heard == []
    unanswered.pop()
    assert heard == [None]


def test_answers_before_the_seal_wait_for_it(acks, heard):
    unanswered = [acks.reports]
    unanswered.pop()
    assert heard == []
    acks.seal()
    assert heard == [None]


def test_the_first_error_is_told_once_all_answers_are_in(acks, heard):
    unanswered = [acks.reports] * 3
    acks.seal()
    unanswered[0](REFUSED, None)
    unanswered[1](KafkaError(KafkaError._FAIL), None)
    assert heard == []
    unanswered.clear()
    assert heard == [REFUSED]


def test_a_set_that_is_given_up_before_the_seal_is_never_complete(acks, heard):
    unanswered = [acks.reports]
    del acks
    unanswered.clear()
    assert heard == []


def test_no_record_joins_a_sealed_set(acks):
    acks.seal()
    with pytest.raises(AttributeError):
        _ = acks.reports


def test_what_cannot_be_called_back_ends_the_process(monkeypatch, caplog):
    killed = []
    monkeypatch.setattr(os, "kill", lambda *args: killed.append(args))
    Acks(lambda error: 1 / 0).seal()
    assert killed == [(os.getpid(), signal.SIGTERM)]
    assert "could not be handled" in caplog.text


def test_it_calls_back_once_though_seal_and_answers_race():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(200):
            heard = []
            acks = Acks(heard.append)
            unanswered = []
            answers = threading.Semaphore(0)

            def answer(unanswered=unanswered, answers=answers):
                for _ in range(20):
                    answers.acquire()
                    unanswered.pop()

            thread = threading.Thread(target=answer)
            thread.start()
            for _ in range(20):
                unanswered.append(acks.reports)
                answers.release()
            acks.seal()
            thread.join()
            assert heard == [None]
    finally:
        sys.setswitchinterval(interval)

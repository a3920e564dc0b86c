"""One call back for a set of records, whatever the order and the threads."""

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
    acks.sent()
    acks.sent()
    acks.seal()
    acks(None, None)
    assert heard == []
    acks(None, None)
    assert heard == [None]


def test_answers_before_the_seal_wait_for_it(acks, heard):
    acks.sent()
    acks(None, None)
    assert heard == []
    acks.seal()
    assert heard == [None]


def test_the_first_error_is_told_once_all_answers_are_in(acks, heard):
    for _ in range(3):
        acks.sent()
    acks.seal()
    acks(None, None)
    acks(REFUSED, None)
    acks(KafkaError(KafkaError._FAIL), None)
    assert heard == [REFUSED]


def test_it_calls_back_once_however_often_it_is_sealed(acks, heard):
    acks.seal()
    acks.seal()
    assert heard == [None]


def test_it_calls_back_once_though_seal_and_answers_race():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(200):
            heard = []
            acks = Acks(heard.append)
            answers = threading.Semaphore(0)

            def answer(acks=acks, answers=answers):
                for _ in range(20):
                    answers.acquire()
                    acks(None, None)

            thread = threading.Thread(target=answer)
            thread.start()
            for _ in range(20):
                acks.sent()
                answers.release()
            acks.seal()
            thread.join()
            assert heard == [None]
    finally:
        sys.setswitchinterval(interval)

"""Which of two producers writes, and that records of one key stay in order all the same."""

import random

import pytest
from fake_producer import FakeProducer

from streaming.acks import Acks
from streaming.producer import Producer
from streaming.turns import BATCHES, Turns


@pytest.fixture
def turns():
    return Turns(FakeProducer(at_once=False), FakeProducer(at_once=False))


def note(turns, *batches):
    """Batches, `True` for a full one; which producer writes then, when all is answered."""
    for full in batches:
        turns.note(full=full)
        assert turns.settled()
    return "patient" if turns.current is turns._patient else "prompt"


def owe(producer):
    acks = Acks(lambda error: None)
    producer.send("t", "k", "v", acks)
    acks.seal()


def test_single_records_are_written_by_the_prompt_one(turns):
    assert note(turns, *[False] * 100) == "prompt"


def test_some_full_batches_are_no_backlog(turns):
    assert note(turns, *[*[True] * (BATCHES - 1), False] * 5) == "prompt"


def test_a_backlog_is_written_by_the_patient_one(turns):
    assert note(turns, *[True] * BATCHES) == "patient"


def test_a_batch_that_is_not_full_does_not_end_a_backlog(turns):
    note(turns, *[True] * BATCHES)
    assert note(turns, *[*[False] * (BATCHES - 1), True] * 5) == "patient"


def test_a_backlog_ends(turns):
    note(turns, *[True] * BATCHES)
    assert note(turns, *[False] * BATCHES) == "prompt"


def test_nothing_is_written_until_all_is_answered_that_was_written_before(turns):
    for _ in range(2):
        owe(turns.current)
    for _ in range(BATCHES):
        turns.note(full=True)
    before = turns.current
    for answers in (1, 0):
        assert not turns.settled()
        assert turns.current is before
        before.acknowledge(1)
        assert turns.settled() == (answers == 0)
    assert turns.current is not before


def test_records_of_one_key_stay_in_order_however_often_the_turn_changes(settings, topics, read):
    dice, errors, written = random.Random(7), [], 0
    turns = Turns(Producer(settings, "test"), Producer(settings, "test", linger=0.005))
    for _ in range(20):
        for _ in range(dice.randrange(1, 50)):
            acks = Acks(errors.append)
            turns.current.send(topics.dispatch, b"k", b"%d" % written, acks)
            acks.seal()
            written += 1
        before = turns.current
        for _ in range(BATCHES):
            turns.note(full=before is turns._prompt)
        while not turns.settled():
            pass
        assert turns.current is not before
    assert turns.close(20) == 0
    assert [int(message.value()) for message in read(topics.dispatch)] == list(range(written))
    assert errors == [None] * written

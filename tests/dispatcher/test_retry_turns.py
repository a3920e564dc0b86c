"""When the retry topics are read."""

from itertools import pairwise

import pytest

from dispatcher.retry_turns import LONGEST, LOOK, RetryTurns


def looks(turns, until, step=0.01):
    """When each look began, in seconds; asked every `step` seconds."""
    began, was = [], False
    for tick in range(int(until / step)):
        now = tick * step
        if (may := turns.may_read(now)) and not was:
            began.append(now)
        was = may
    return began


def test_the_first_look_is_at_once_and_then_now_and_then():
    assert looks(RetryTurns(60.0), 10) == pytest.approx([0, LONGEST, 2 * LONGEST, 3 * LONGEST])


@pytest.mark.parametrize("shortest", [0.6, 1.0, 5.0, 3600.0])
def test_what_is_written_at_any_time_is_looked_for_before_it_is_due(shortest):
    began = looks(RetryTurns(shortest), 20)
    longest = max(after - before for before, after in pairwise(began))
    assert longest + LOOK < shortest


def test_with_a_very_short_delay_they_are_read_always():
    turns = RetryTurns(2 * LOOK)
    assert all(turns.may_read(tick * 0.01) for tick in range(1000))


def test_a_look_takes_as_long_as_something_comes():
    turns = RetryTurns(5.0)
    assert turns.may_read(0.0)
    turns.came(0.2)
    assert turns.may_read(0.2 + LOOK - 0.001)
    assert not turns.may_read(0.2 + LOOK + 0.001)


def test_after_a_long_stand_still_there_is_one_look_and_not_many():
    turns = RetryTurns(5.0)
    turns.may_read(0.0)
    assert turns.may_read(1000.0)
    assert not turns.may_read(1000.0 + LOOK)

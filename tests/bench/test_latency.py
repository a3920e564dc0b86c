"""The highest rate that is kept up with."""

import pytest

from bench.latency import highest
from bench.subjects import SubjectFailed


def test_the_highest_rate_is_found_to_a_tenth_in_long_loads():
    asked = []

    def keeps_up(rate, seconds):
        asked.append((rate, seconds))
        return rate <= 3_000

    assert 2_700 <= highest(keeps_up, 20) <= 3_000
    assert asked[-1][1] == 20


def test_a_queue_that_only_a_long_load_shows_makes_it_lower():
    def keeps_up(rate, seconds):
        return rate <= (3_000 if seconds < 20 else 2_000)

    assert 1_800 <= highest(keeps_up, 20) <= 2_000


def test_one_lucky_load_does_not_count():
    lucky = iter([True, True])

    def keeps_up(rate, seconds):
        return rate <= (3_000 if seconds < 20 else 2_000) or next(lucky, False)

    assert 1_800 <= highest(keeps_up, 20) <= 2_000


def test_no_rate_at_all_is_said():
    with pytest.raises(SubjectFailed, match="does not keep up"):
        highest(lambda rate, seconds: False, 20)

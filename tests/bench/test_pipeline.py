import math
from dataclasses import replace

import pytest

from bench.calls import times, turns
from bench.pipeline import Latency, Load, first_arrivals, latency


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def load(sent, **more):
    given = {"rate": 100.0, "drained": True, "late": 500}
    return Load(sent=sent, **{**given, **more})


def test_latency_is_from_produced_to_first_received():
    first = first_arrivals([(1, 9_000), (0, 2_000), (1, 4_000)])
    found = latency(load([(0, 0), (1, 1_000)]), first, 0.0)
    assert (found.p50, found.p999, found.calls, found.missing) == (3.0, 3.0, 2, 0)


def test_what_was_produced_in_the_warm_up_does_not_count():
    found = latency(load([(0, 0), (1, 2_000_000)]), {0: 900_000, 1: 2_001_000}, 1.0)
    assert (found.p999, found.calls) == (1.0, 1)


def test_what_never_came_is_counted_as_missing_and_has_taken_for_ever():
    found = latency(load([(0, 0), (1, 10)]), {0: 5}, 0.0)
    assert (found.missing, found.p999) == (1, math.inf)


def test_a_pair_keeps_up_when_all_come_and_nine_of_ten_do_not_wait_in_a_queue():
    kept_up = Latency(100.0, 5.0, 150.0, 900.0, 950.0, calls=10, missing=0, late=0.5)
    assert kept_up.kept_up
    assert not replace(kept_up, p90=300.0).kept_up
    assert not replace(kept_up, missing=1).kept_up
    assert not replace(kept_up, late=80.0).kept_up


def test_calls_come_at_random_times_at_the_rate():
    due = list(times(500.0, 20.0, 10, 1))
    assert 9_000 < len(due) < 11_000
    assert due == sorted(due)
    assert due[-1] < 20.0


def test_without_a_rate_each_account_has_one_call_at_once():
    assert list(times(0, 0, 3, 1)) == [0.0, 0.0, 0.0]


def test_calls_that_are_due_within_a_millisecond_are_produced_together_and_none_early():
    clock = Clock()
    made = list(turns(iter([0.0, 0.002, 0.0024, 0.0029, 0.0051]), clock, clock.sleep))
    assert [(now, len(late)) for now, late in made] == [(0.0, 1), (0.002, 1), (0.003, 2),
                                                        (0.0051, 1)]  # fmt: skip
    assert made[2][1] == pytest.approx([0.0006, 0.0001])


def test_calls_that_a_slow_load_has_missed_are_produced_at_once_and_are_late():
    clock = Clock()
    given = turns(iter([0.0, 0.01, 0.02, 0.5]), clock, clock.sleep)
    next(given)
    clock.now = 0.1
    assert next(given) == (0.1, pytest.approx([0.09, 0.08]))

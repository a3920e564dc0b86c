"""When a dispatch is tried again, and on which topic it waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.schedule import HOLD, JITTER, LONGEST_WAIT, Postponement, Schedule
from streaming.settings import Settings, seconds

SECOND = 1_000_000
HOUR = 3600 * SECOND
DEFAULT = tuple(
    (name, seconds(name)) for name in Settings.model_fields["dispatcher_retry_schedule"].default
)


def least():
    return 0.0


def most():
    return 1.0 - 2**-53


def schedule(*delays, dice=least):
    return Schedule(tuple((name, seconds(name)) for name in delays), dice)


def default(dice=least):
    return Schedule(DEFAULT, dice)


# After a failed try.


def test_each_try_has_its_delay_and_after_the_last_there_is_none():
    waits = [default().after(attempt, 7) for attempt in range(1, 9)]
    assert waits == [
        *(Postponement(name, 7 + int(delay * SECOND)) for name, delay in DEFAULT),
        None,
    ]


def test_all_eight_tries_take_seventeen_and_a_half_hours():
    assert sum(delay for _, delay in DEFAULT) == pytest.approx(17.6 * 3600, rel=0.01)


def test_jitter_lies_above_the_delay_by_a_tenth_of_it_at_most():
    assert default(most).after(2, 0).due_at == pytest.approx(66 * SECOND, abs=2)


def test_what_an_answer_asks_for_counts_where_it_is_longer():
    assert default().after(1, 0, at_least=90.0) == Postponement("5m", 90 * SECOND)


def test_and_does_not_where_it_is_shorter():
    assert default().after(2, 0, at_least=3.0) == Postponement("1m", 60 * SECOND)


def test_a_day_is_waited_on_the_topic_of_the_longest_delay():
    assert default().after(1, 0, at_least=86_400.0) == Postponement("10h", 24 * HOUR)


def test_the_last_try_stays_the_last_whatever_the_answer_asks_for():
    assert default().after(8, 0, at_least=60.0) is None


# Put off without a try.


def test_what_was_just_routed_waits_for_the_shortest_delay():
    assert default().put_off(HOUR, HOUR) == Postponement("5s", HOUR + 5 * SECOND)


@pytest.mark.parametrize(
    ("minutes", "delay"),
    [(0.2, "5s"), (0.5, "1m"), (2, "1m"), (9, "5m"), (10, "5m"), (60, "30m"), (600, "30m")],
)
def test_what_has_waited_long_waits_for_half_of_that_and_half_an_hour_at_most(minutes, delay):
    now = 1000 * HOUR
    put_off = default().put_off(now, now - int(minutes * 60 * SECOND))
    assert put_off == Postponement(delay, now + int(min(minutes / 2, 30) * 60 * SECOND))


def test_it_is_not_looked_at_before_the_time_that_is_given():
    assert default().put_off(0, 0, until=90 * SECOND) == Postponement("5m", 90 * SECOND)


def test_what_waits_for_the_same_time_does_not_come_back_all_at_once():
    assert default(most).put_off(0, 0, until=90 * SECOND).due_at == pytest.approx(
        99 * SECOND, abs=2
    )


@pytest.mark.parametrize("routed_at", [-(2**62), 0, 2**62])
def test_a_time_of_routing_that_nobody_wrote_does_no_harm(routed_at):
    wait = default(most).put_off(1000 * HOUR, routed_at).due_at - 1000 * HOUR
    assert 5 * SECOND <= wait <= (1 + JITTER) * LONGEST_WAIT * SECOND


def test_one_that_goes_round_keeps_its_time():
    assert default().go_round(0, 3 * HOUR) == Postponement("5h", 3 * HOUR)


def test_it_waits_on_the_shortest_topic_that_holds_it_long_enough():
    waits = (6, 7, 75, 76, 375, 376)
    topics = [default().go_round(0, wait * SECOND).delay for wait in waits]
    assert topics == ["5s", "1m", "1m", "5m", "5m", "30m"]


def test_a_topic_of_far_too_long_a_delay_is_not_used():
    sparse = schedule("5s", "10h")
    assert sparse.go_round(0, 60 * SECOND) == Postponement("5s", 60 * SECOND)
    assert sparse.go_round(0, HOUR) == Postponement("10h", HOUR)


# Schedules as people write them.


def test_an_order_that_is_none_is_kept_for_tries_and_sorted_for_waiting():
    odd = schedule("1m", "5s", "1h")
    assert [odd.after(n, 0).delay for n in (1, 2, 3)] == ["1m", "5s", "1h"]
    assert [odd.put_off(0, 0, n * SECOND).delay for n in (1, 59, 60, 3600)] == [
        "5s", "1m", "1m", "1h",
    ]  # fmt: skip


def test_one_delay_is_enough():
    one = schedule("2s")
    assert one.after(1, 0) == Postponement("2s", 2 * SECOND)
    assert one.after(2, 0) is None
    assert one.put_off(0, 0) == Postponement("2s", 2 * SECOND)
    assert one.go_round(0, HOUR) == Postponement("2s", HOUR)


def test_a_delay_may_stand_in_it_twice():
    assert [schedule("5s", "5s").after(n, 0).delay for n in (1, 2)] == ["5s", "5s"]


NAMES = st.lists(
    st.sampled_from(["200ms", "1s", "5s", "1m", "5m", "30m", "2h", "10h"]), min_size=1, max_size=7
)
TIMES = st.integers(0, 2**55)


@given(NAMES, st.integers(-3, 9), TIMES, st.floats(0, 86_400), st.floats(0, 1, exclude_max=True))
def test_a_retry_is_never_early_and_at_most_a_tenth_late(names, attempt, now, at_least, rolled):
    again = schedule(*names, dice=lambda: rolled).after(attempt, now, at_least)
    if again is None:
        assert attempt > len(names)
        return
    delay = seconds(names[max(attempt, 1) - 1])
    wait = (again.due_at - now) / SECOND
    assert max(delay, at_least) - 1e-5 <= wait <= max(delay * (1 + JITTER), at_least) + 1e-5


@given(NAMES, TIMES, TIMES, st.floats(0, 1, exclude_max=True))
def test_one_put_off_comes_back_in_half_an_hour_or_the_shortest_delay(names, now, routed, rolled):
    put_off = schedule(*names, dice=lambda: rolled).put_off(now, routed)
    longest = (1 + JITTER) * max(LONGEST_WAIT, min(map(seconds, names)))
    assert min(map(seconds, names)) - 1e-5 <= (put_off.due_at - now) / SECOND <= longest + 1e-5


@given(NAMES, st.integers(1, 86_400 * SECOND))
def test_one_that_waits_goes_round_until_it_is_due_and_not_for_ever(names, wait):
    """As the stage has it: kept for `HOLD` of its topic's delay, then sent on."""
    one, now, rounds = schedule(*names), 0, 0
    while now < wait:
        held = seconds(one.go_round(now, wait).delay) * HOLD
        assert held > 0
        now += int(held * SECOND)
        rounds += 1
    shortest, longest = min(map(seconds, names)), max(map(seconds, names))
    if set(names) >= {"5s", "1m", "5m", "30m", "2h", "10h"}:
        assert rounds <= 40
    assert rounds <= wait / SECOND / min(shortest, longest) + 1

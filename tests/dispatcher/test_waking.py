"""Nothing that may start is forgotten: lanes that were crowded out, throttled, forbidden, or given
other limits while they waited."""

from collections import deque

import pytest
from lane_item import Item

from dispatcher.lane import EARLY, LATE
from dispatcher.lanes import PATIENCE, Lanes

SECOND = 1_000_000


def anything(key, now):
    return True


def started(lanes, now=0):
    return list(iter(lambda: lanes.next(now), None))


def offered(lanes, count, key, now=0, **fields):
    taken = [lanes.offer(Item(key, **fields), now) for _ in range(count)]
    return sum(taken)


@pytest.mark.parametrize("kind", [EARLY, LATE])
def test_a_healthy_lane_that_was_crowded_out_needs_only_its_own_ends_to_go_on(kind):
    """It used to wait for as many ends as hanging lanes stood before it: for their deadline."""
    lanes = Lanes(400, 16, anything)
    for number in range(80):
        offered(lanes, 4, f"hangs{number}", kind=kind)
    started(lanes)
    offered(lanes, 30, "healthy", kind=kind)
    done = 0
    flying = deque(started(lanes))
    while flying:
        item = flying.popleft()
        assert item.key == "healthy"
        lanes.ended(item)
        done += 1
        flying += started(lanes)
    assert done == 30


def test_a_lane_that_was_crowded_out_and_emptied_takes_no_other_lanes_turn():
    lanes = Lanes(40, 16, anything)
    for key in "abc":
        offered(lanes, 16, key)
    flying = started(lanes)
    lanes.drain("a")
    while flying:
        for item in flying:
            lanes.ended(item)
        flying = started(lanes)
    assert (lanes.waiting, lanes.lanes()) == ([0, 0], 0)


# Rate limits.


def test_a_throttled_lane_whose_queue_was_taken_away_is_forgotten_at_last():
    lanes = Lanes(99, 9, anything)
    offered(lanes, 2, "a", rate_limit=0.5)
    lanes.ended(started(lanes)[0])
    lanes.discard(lambda _: True)
    for tenth in range(1, 50):
        now = tenth * SECOND // 10
        lanes.sweep(now)  # before `next`, as `Traffic` has it
        started(lanes, now)
    at = lanes.next_wake()
    assert (lanes.lanes(), at) == (0, None)


def test_it_is_forgotten_also_when_the_sweep_comes_at_the_very_moment_it_may_start():
    lanes = Lanes(99, 9, anything)
    offered(lanes, 2, "a", rate_limit=0.5)
    lanes.ended(started(lanes)[0])
    lanes.discard(lambda _: True)
    at = lanes.next_wake()
    for now in (at, at + SECOND, at + 2 * SECOND):
        lanes.sweep(now)
        started(lanes, now)
    assert lanes.lanes() == 0


@pytest.mark.parametrize("rate", [None, 100.0])
def test_a_limit_that_was_lifted_does_not_hold_up_what_came_before(rate):
    lanes = Lanes(99, 9, anything)
    offered(lanes, 3, "a", rate_limit=0.01)
    assert len(started(lanes)) == 1
    offered(lanes, 1, "a", rate_limit=rate, action_version=2)
    later = [item for tenth in range(1, 11) for item in started(lanes, tenth * SECOND // 10)]
    assert len(later) == 3


def test_a_limit_that_was_changed_gives_no_new_burst():
    lanes = Lanes(9999, 999, anything)
    begun = 0
    for number in range(100):  # within a second
        offered(lanes, 1, "a", rate_limit=1.0 + number / 1000, now=number * 1000)
        begun += len(started(lanes, number * 1000))
    assert begun == 1


def test_retries_of_an_older_version_do_not_bring_its_limits_back():
    lanes = Lanes(9999, 999, anything)
    offered(lanes, 1, "a", rate_limit=1.0, max_in_flight=2, action_version=7)
    begun = len(started(lanes))
    for _ in range(20):
        offered(lanes, 1, "a", action_version=6)
        offered(lanes, 1, "a", rate_limit=1.0, max_in_flight=2, action_version=7)
        begun += len(started(lanes))
    assert begun == 1


# Slow lanes.


def test_many_lanes_held_up_by_their_own_limits_leave_room_for_what_others_are_to_be_sent():
    """A process takes in twice the share; what waits for a rate of its own must not fill it."""
    lanes = Lanes(400, 16, anything)
    for number in range(100):
        offered(lanes, 16, f"limited{number}", rate_limit=0.1)
    started(lanes)
    lanes.sweep(PATIENCE + 1)
    assert lanes.waiting[EARLY] + lanes.in_flight[EARLY] < 2 * lanes.shares[EARLY]


def test_the_same_holds_for_retries():
    lanes = Lanes(400, 16, anything)
    for number in range(60):
        offered(lanes, 16, f"limited{number}", kind=LATE, rate_limit=0.1)
    started(lanes)
    lanes.sweep(PATIENCE + 1)
    assert lanes.waiting[LATE] < lanes.shares[LATE]


def test_where_every_sweep_is_late_slow_lanes_are_relieved_nevertheless():
    """One late sweep says that the process stood still; one after the other, that it is busy."""
    lanes = Lanes(2000, 16, anything)
    offered(lanes, 1500, "hangs")
    started(lanes)
    left = [len(lanes.sweep(number * 3 * SECOND // 5)) for number in range(1, 10)]
    assert sum(left) >= 1400

"""Whose turn it is: examples, and a machine that does anything in any order."""

from collections import Counter, deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from lane_item import Item

from dispatcher.lane import EARLY, LATE
from dispatcher.lanes import PATIENCE, Lanes

SECOND = 1_000_000


def items(*names, **fields):
    """`items("a1", "b2'")`: a mark behind it makes a late one."""
    return [
        Item(name[0], int(name[1:].rstrip("'")), LATE if name.endswith("'") else EARLY, **fields)
        for name in names
    ]


def anything(key, now):
    return True


def started(lanes, now=0):
    """Everything that may start now."""
    return list(iter(lambda: lanes.next(now), None))


def names(found):
    return [repr(item) for item in found]


def offered(cap, cap_per_action, *waiting, **fields):
    lanes = Lanes(cap, cap_per_action, anything)
    for item in items(*waiting, **fields):
        assert lanes.offer(item, 0)
    return lanes


def test_within_an_action_the_first_comes_first():
    assert names(started(offered(99, 9, "a1", "a2", "a3"))) == ["a1", "a2", "a3"]


def test_actions_take_turns():
    lanes = offered(99, 9, "a1", "a2", "a3", "b1", "b2")
    assert names(started(lanes)) == ["a1", "b1", "a2", "b2", "a3"]


def test_an_action_at_its_cap_holds_up_nobody_else():
    assert names(started(offered(99, 1, "a1", "a2", "b1"))) == ["a1", "b1"]


def test_an_action_may_have_a_cap_of_its_own():
    assert len(started(offered(99, 9, "a1", "a2", "a3", max_in_flight=2))) == 2


def test_nothing_starts_above_the_share_of_first_tries():
    assert len(started(offered(4, 9, "a1", "b1", "c1", "d1", "e1"))) == 3


def test_a_storm_of_retries_leaves_the_share_of_first_tries_alone():
    retries = [f"{key}1'" for key in "abcdefghijkl"]
    found = names(started(offered(8, 9, *retries, "x1", "y1")))
    assert {"x1", "y1"} <= set(found)
    assert len(found) == 4  # and two of the retries


def test_a_storm_of_first_tries_leaves_the_share_of_retries_alone():
    assert "z1'" in names(started(offered(8, 9, *(f"{key}1" for key in "abcdefghijkl"), "z1'")))


def test_of_a_lanes_own_cap_retries_leave_most_to_new_calls():
    lanes = offered(999, 8, *(f"a{n}'" for n in range(8)), "a9")
    assert names(started(lanes)) == ["a9", "a0'", "a1'"]


def test_in_a_lane_of_one_neither_kind_starves():
    lanes = offered(99, 1, *(f"a{n}" for n in range(6)), "a6'", "a7'")
    order = []
    while found := started(lanes):
        order += names(found)
        lanes.ended(found[0])
    assert order == ["a0", "a1", "a2", "a6'", "a3", "a4", "a5", "a7'"]


def test_the_next_starts_when_one_has_ended():
    lanes = offered(99, 1, "a1", "a2")
    lanes.ended(started(lanes)[0])
    assert names(started(lanes)) == ["a2"]


def test_a_lane_with_nothing_in_it_is_forgotten():
    lanes = offered(99, 1, "a1")
    lanes.ended(started(lanes)[0])
    assert lanes.lanes() == 0


def test_a_forgotten_lane_needs_no_garbage_collector():
    lanes = offered(99, 1, "a1")
    (lane,) = lanes._lanes.values()
    lanes.ended(started(lanes)[0])
    assert not any(queue.lane is lane for queue in lane.queues)


def test_what_is_discarded_does_not_start():
    lanes = offered(99, 9, "a1", "a2", "b1")
    assert names(lanes.discard(lambda item: item.number == 1)) == ["a1", "b1"]
    assert names(started(lanes)) == ["a2"]


def test_discarding_does_not_touch_what_is_in_flight():
    lanes = offered(99, 1, "a1", "a2")
    started(lanes)
    lanes.discard(lambda _: True)
    assert (lanes.in_flight, lanes.waiting) == ([1, 0], [0, 0])


def test_what_is_drained_comes_out_in_order_first_tries_first():
    lanes = offered(99, 9, "a1'", "a2", "b1", "a3")
    assert names(lanes.drain("a")) == ["a2", "a3", "a1'"]
    assert names(started(lanes)) == ["b1"]


# Slow lanes.


def hanging(count, cap=4):
    """A lane whose cap is in flight for ever, with `count` waiting behind it."""
    lanes = Lanes(999, cap, anything)
    for item in items(*(f"a{n}" for n in range(cap + count))):
        lanes.offer(item, 0)
    started(lanes)
    return lanes


def test_a_burst_waits_however_long_the_queue_for_it_may_soon_be_done():
    lanes = hanging(500)
    assert (lanes.sweep(PATIENCE), lanes.waiting[EARLY]) == ([], 500)


def test_when_the_first_has_waited_too_long_the_last_come_go_elsewhere():
    lanes = hanging(6)
    assert names(lanes.sweep(PATIENCE + 1)) == ["a8", "a9"]


def moving(waiting, cap=4):
    """A lane whose tries are quick, with `waiting` that have waited for longer than is patient."""
    lanes = hanging(waiting + cap, cap)
    for item in list(lanes._lanes["a"].queues[EARLY].flying):
        lanes.ended(item)
    assert len(started(lanes, PATIENCE)) == cap
    return lanes


def test_a_lane_whose_tries_are_quick_is_not_slow_for_the_process_is():
    assert moving(100).sweep(PATIENCE + 1) == []


def test_but_one_that_holds_a_great_part_of_what_waits_is():
    assert len(moving(200).sweep(PATIENCE + 1)) == 196


def test_and_so_is_one_that_waits_for_its_rate_limit():
    lanes = offered(999, 99, *(f"a{n}" for n in range(200)), rate_limit=5.0)
    started(lanes)
    assert len(lanes.sweep(PATIENCE + 1)) == 100


def test_a_slow_lane_takes_no_more_than_its_cap():
    lanes = hanging(6)
    lanes.sweep(PATIENCE + 1)
    assert not lanes.offer(Item("a"), PATIENCE + 2)
    assert lanes.offer(Item("b"), PATIENCE + 2)


def test_a_lane_that_moves_again_is_no_longer_slow():
    lanes = hanging(6)
    lanes.sweep(PATIENCE + 1)
    for item in lanes.drain("a"):
        lanes.offer(item, PATIENCE + 2)
    lanes.sweep(PATIENCE + 3)
    assert all(lanes.offer(Item("a"), PATIENCE + 4) for _ in range(50))


def test_many_that_hang_together_leave_room_for_the_others():
    lanes = Lanes(400, 16, anything)  # 300 for first tries
    for key in range(100):
        for n in range(16):
            lanes.offer(Item(f"bad{key}", n), 0)
    began = Counter(item.key for item in started(lanes))
    assert max(began.values()) - min(began.values()) <= 3
    assert sum(began.values()) < 300
    lanes.offer(Item("good"), 0)
    assert [item.key for item in started(lanes)] == ["good"]


def test_what_was_crowded_out_starts_when_the_others_end():
    lanes = Lanes(40, 16, anything)
    for key in "abc":
        for n in range(16):
            lanes.offer(Item(key, n), 0)
    done = 0
    while found := started(lanes):
        done += len(found)
        for item in found:
            lanes.ended(item)
    assert done == 48


# Rate limits.


def test_a_rate_limit_lets_one_start_at_a_time():
    lanes = offered(999, 99, *(f"a{n}" for n in range(8)), rate_limit=4.0)
    counts = [len(started(lanes, quarter * (SECOND // 4 + 10))) for quarter in range(5)]
    assert counts == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("rate", [0.5, 3.0, 40.0, 1000.0])
def test_in_no_second_a_rate_limit_is_passed_by_more_than_a_tenth(rate):
    lanes = Lanes(9999, 999, anything)
    times, now = [], 0
    while now < 5 * SECOND:
        lanes.offer(Item("a", rate_limit=rate), now)
        for item in started(lanes, now):
            lanes.ended(item)
            times.append(now)
        now += 700 if rate > 100 else 20_000
    seconds = Counter(time // SECOND for time in times)
    assert max(seconds.values()) <= max(1.0, rate * 1.1) + 1
    assert len(times) >= 5 * rate * 0.95


def test_a_rate_below_one_a_second_is_kept():
    lanes = offered(999, 99, "a1", "a2", rate_limit=0.1)
    assert len(started(lanes, 0)) == 1
    assert started(lanes, 9 * SECOND) == []
    assert len(started(lanes, 10 * SECOND + 1)) == 1


def test_it_says_when_the_rate_limit_lets_the_next_start():
    lanes = offered(999, 99, "a1", "a2", rate_limit=0.5)
    started(lanes)
    at = lanes.next_wake()
    assert at == pytest.approx(2 * SECOND, abs=5)
    assert started(lanes, at - 2) == []
    assert len(started(lanes, at)) == 1


def test_a_rate_limit_outlives_the_moment_in_which_nothing_waits():
    lanes = offered(999, 99, "a1", rate_limit=1.0)
    lanes.ended(started(lanes)[0])
    lanes.offer(Item("a", rate_limit=1.0), 10)
    assert started(lanes, 10) == []


def test_a_lane_with_a_rate_limit_is_forgotten_when_it_has_rested():
    lanes = offered(999, 99, "a1", rate_limit=1.0)
    lanes.ended(started(lanes)[0])
    lanes.sweep(SECOND // 2)
    assert lanes.lanes() == 1
    lanes.sweep(SECOND)
    assert lanes.lanes() == 0


def test_a_clock_that_jumps_back_does_not_stop_a_lane():
    lanes = offered(999, 99, "a1", "a2", rate_limit=1.0)
    assert len(started(lanes, 100 * SECOND)) == 1
    started(lanes, 50 * SECOND)
    assert len(started(lanes, 102 * SECOND)) == 1


# Breakers.


def test_what_may_not_start_waits_until_somebody_says_look_again():
    allowed = set()
    lanes = Lanes(99, 9, lambda key, now: key in allowed)
    for item in items("a1", "b1"):
        lanes.offer(item, 0)
    assert started(lanes) == []
    allowed.add("a")
    lanes.look_again("a")
    assert names(started(lanes)) == ["a1"]


KEYS = st.sampled_from("abcde")
KINDS = st.sampled_from([EARLY, LATE])


class AnyOrder(RuleBasedStateMachine):
    """Lanes beside a plain model: two queues for each action."""

    @initialize(cap=st.integers(2, 12), cap_per_action=st.integers(1, 5))
    def begin(self, cap, cap_per_action):
        self.cap_per_action = cap_per_action
        self.lanes = Lanes(cap, cap_per_action, lambda key, _: key not in self.forbidden)
        self.forbidden = set()
        self.now = 0
        self.queues = {(key, kind): deque() for key in "abcde" for kind in (EARLY, LATE)}
        self.flying = []
        self.number = 0

    def _in_flight(self, key, kind=None):
        return sum(i.key == key and kind in (None, i.kind) for i in self.flying)

    def _may(self, key, kind):
        """By the lane's own limits."""
        if self._in_flight(key) >= self.cap_per_action or key in self.forbidden:
            return False
        return kind == EARLY or self._in_flight(key, LATE) < max(1, self.cap_per_action // 4)

    @rule(key=KEYS, kind=KINDS)
    def offer(self, key, kind):
        self.number += 1
        item = Item(key, self.number, kind)
        if self.lanes.offer(item, self.now):
            self.queues[key, kind].append(item)

    @rule()
    def start(self):
        item = self.lanes.next(self.now)
        if item is None:
            for kind in (EARLY, LATE):
                if self.lanes.in_flight[kind] * 2 < self.lanes.shares[kind]:
                    ready = [q for (key, k), q in self.queues.items() if k == kind and q and
                             self._may(key, kind)]  # fmt: skip
                    assert not ready, "something may start, and does not"
            return
        assert self._may(item.key, item.kind)
        assert item is self.queues[item.key, item.kind].popleft(), "order of starts"
        self.flying.append(item)

    @rule(which=st.integers(0, 30))
    def end(self, which):
        if self.flying:
            self.lanes.ended(self.flying.pop(which % len(self.flying)))

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.2]))
    def sweep(self, seconds):
        self.now += int(seconds * SECOND)
        for item in reversed(self.lanes.sweep(self.now)):
            assert item is self.queues[item.key, item.kind].pop(), "the last come leave"

    @rule(key=KEYS)
    def drain(self, key):
        expected = [*self.queues[key, EARLY], *self.queues[key, LATE]]
        assert self.lanes.drain(key) == expected
        self.queues[key, EARLY].clear()
        self.queues[key, LATE].clear()

    @rule(key=KEYS)
    def forbid(self, key):
        self.forbidden.add(key)

    @rule(key=KEYS)
    def allow(self, key):
        self.forbidden.discard(key)
        self.lanes.look_again(key)

    @rule(keys=st.sets(KEYS), odd=st.booleans())
    def discard(self, keys, odd):
        def unwanted(item):
            return item.key in keys and item.number % 2 == odd

        expected = [i.number for queue in self.queues.values() for i in queue if unwanted(i)]
        assert sorted(i.number for i in self.lanes.discard(unwanted)) == sorted(expected)
        for place, queue in self.queues.items():
            self.queues[place] = deque(i for i in queue if not unwanted(i))

    @invariant()
    def caps_hold(self):
        for kind in (EARLY, LATE):
            assert self.lanes.in_flight[kind] <= self.lanes.shares[kind]
        assert all(self._in_flight(key) <= self.cap_per_action for key in "abcde")

    @invariant()
    def counts_are_right(self):
        for kind in (EARLY, LATE):
            waiting = sum(len(q) for (_, k), q in self.queues.items() if k == kind)
            assert self.lanes.waiting[kind] == waiting
            assert self.lanes.in_flight[kind] == sum(i.kind == kind for i in self.flying)

    @invariant()
    def only_lanes_in_use_are_kept(self):
        used = {key for (key, _), queue in self.queues.items() if queue}
        assert self.lanes._lanes.keys() == used | {item.key for item in self.flying}

    def teardown(self):
        if not hasattr(self, "lanes"):
            return
        for key in "abcde":
            self.allow(key)
        left = sum(map(len, self.queues.values()))
        while True:  # whatever happened, everything starts in the end
            for item in self.flying:
                self.lanes.ended(item)
            self.flying = started(self.lanes, self.now)
            left -= len(self.flying)
            if not self.flying:
                break
        assert left == 0, "nothing starts though nothing is in flight"


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)

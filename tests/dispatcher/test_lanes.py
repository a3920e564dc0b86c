"""Whose turn it is: examples, and a machine that does anything in any order."""

from collections import Counter, deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dispatcher.lanes import Lanes


def started(lanes):
    """Everything that may start now."""
    return list(iter(lanes.next, None))


def offered(cap, cap_per_action, *items):
    lanes = Lanes(cap, cap_per_action)
    for item in items:
        lanes.offer(item[0], item)
    return lanes


def test_within_an_action_the_first_comes_first():
    assert started(offered(9, 9, "a1", "a2", "a3")) == ["a1", "a2", "a3"]


def test_actions_take_turns():
    assert started(offered(9, 9, "a1", "a2", "a3", "b1", "b2")) == ["a1", "b1", "a2", "b2", "a3"]


def test_an_action_at_its_cap_holds_up_nobody_else():
    assert started(offered(9, 1, "a1", "a2", "b1")) == ["a1", "b1"]


def test_nothing_starts_above_the_cap_of_all():
    assert started(offered(2, 9, "a1", "b1", "c1")) == ["a1", "b1"]


def test_the_next_starts_when_one_has_ended():
    lanes = offered(9, 1, "a1", "a2")
    started(lanes)
    lanes.ended("a")
    assert started(lanes) == ["a2"]


def test_a_lane_with_nothing_in_it_is_forgotten():
    lanes = offered(9, 1, "a1")
    started(lanes)
    lanes.ended("a")
    assert not lanes._lanes


def test_what_is_discarded_does_not_start():
    lanes = offered(9, 9, "a1", "a2", "b1")
    assert lanes.discard(lambda item: item in ("a1", "b1")) == ["a1", "b1"]
    assert started(lanes) == ["a2"]


def test_discarding_does_not_touch_what_is_in_flight():
    lanes = offered(9, 1, "a1", "a2")
    started(lanes)
    lanes.discard(lambda _: True)
    assert (lanes.in_flight, lanes.waiting) == (1, 0)


ACTIONS = st.sampled_from("abcde")


class AnyOrder(RuleBasedStateMachine):
    """Lanes beside a plain model: a queue for each action."""

    @initialize(cap=st.integers(1, 6), cap_per_action=st.integers(1, 4))
    def begin(self, cap, cap_per_action):
        self.cap, self.cap_per_action = cap, cap_per_action
        self.lanes = Lanes(cap, cap_per_action)
        self.queues = {}
        self.in_flight = Counter()
        self.number = 0
        self.passed_over = Counter()
        """Starts of others since a lane became ready, or had its turn."""

    def ready(self):
        return {
            action
            for action, queue in self.queues.items()
            if queue and self.in_flight[action] < self.cap_per_action
        }

    @rule(action=ACTIONS)
    def offer(self, action):
        self.number += 1
        self.lanes.offer(action, (action, self.number))
        self.queues.setdefault(action, deque()).append((action, self.number))

    @rule()
    def start(self):
        ready = self.ready()
        item = self.lanes.next()
        if item is None:
            assert not ready or self.in_flight.total() == self.cap
            return
        action, _ = item
        assert action in ready
        assert item == self.queues[action].popleft()
        self.in_flight[action] += 1
        for other in ready - {action}:
            self.passed_over[other] += 1
            assert self.passed_over[other] < 5, "a ready lane is passed over again and again"
        self.passed_over[action] = 0

    @rule(action=ACTIONS)
    def end(self, action):
        if self.in_flight[action]:
            self.lanes.ended(action)
            self.in_flight[action] -= 1

    @rule(actions=st.sets(ACTIONS), odd=st.booleans())
    def discard(self, actions, odd):
        def unwanted(item):
            return item[0] in actions and item[1] % 2 == odd

        expected = [item for queue in self.queues.values() for item in queue if unwanted(item)]
        assert sorted(self.lanes.discard(unwanted)) == sorted(expected)
        for action, queue in self.queues.items():
            self.queues[action] = deque(item for item in queue if not unwanted(item))

    @invariant()
    def caps_hold(self):
        assert self.lanes.in_flight <= self.cap
        assert all(n <= self.cap_per_action for n in self.in_flight.values())

    @invariant()
    def counts_are_right(self):
        waiting = sum(map(len, self.queues.values()))
        counts = (self.lanes.waiting, self.lanes.in_flight)
        assert counts == (waiting, self.in_flight.total())

    @invariant()
    def the_queue_of_turns_holds_each_ready_lane_once(self):
        assert Counter(self.lanes._turns) == Counter(self.ready())
        for action in "abcde":
            if action not in self.ready():
                self.passed_over[action] = 0

    @invariant()
    def only_lanes_in_use_are_kept(self):
        used = {action for action in "abcde" if self.queues.get(action) or self.in_flight[action]}
        assert self.lanes._lanes.keys() == used

    def teardown(self):
        if not hasattr(self, "lanes"):
            return
        left = [item for queue in self.queues.values() for item in queue]
        while left:  # whatever happened, everything starts in the end
            for action in [a for a, n in self.in_flight.items() for _ in range(n)]:
                self.lanes.ended(action)
            self.in_flight.clear()
            batch = started(self.lanes)
            assert batch, "nothing starts though nothing is in flight"
            for item in batch:
                left.remove(item)
                self.in_flight[item[0]] += 1


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

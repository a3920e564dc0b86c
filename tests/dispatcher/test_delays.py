"""Retries kept until they are due: examples, and a machine that does anything in any order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dispatcher.delays import Delays


def kept(cap, *entries):
    delays = Delays(cap)
    for due_at, group, item in entries:
        delays.add(due_at, group, item)
    return delays


def test_nothing_is_taken_before_it_is_due():
    assert kept(9, (10, "g", "x")).take(9) == []


def test_what_is_due_is_taken_the_earliest_first():
    assert kept(9, (10, "g", "x"), (5, "h", "y"), (11, "g", "z")).take(10) == ["y", "x"]


def test_equal_times_keep_their_order():
    assert kept(9, *((5, "g", n) for n in range(8))).take(5) == list(range(8))


def test_items_that_cannot_be_compared_may_be_due_at_once():
    assert len(kept(9, (5, "g", object()), (5, "g", object())).take(5)) == 2


def test_the_first_time_is_known():
    assert (kept(9).next_due(), kept(9, (7, "g", "x"), (5, "g", "y")).next_due()) == (None, 5)


def test_a_group_is_full_at_its_cap():
    assert kept(2, (1, "g", "x"), (1, "h", "y"), (1, "g", "z")).full == {"g"}


def test_a_full_group_is_full_until_it_is_half_empty():
    delays = kept(4, *((n, "g", n) for n in range(4)))
    delays.take(0)
    assert delays.full == {"g"}
    delays.take(1)
    assert delays.full == set()


def test_another_thread_never_sees_the_set_of_full_groups_change():
    delays = kept(1, (1, "g", "x"))
    seen = delays.full
    delays.add(1, "h", "y")
    assert (seen, delays.full) == ({"g"}, {"g", "h"})


def test_what_is_discarded_is_not_taken():
    delays = kept(9, (1, "g", "x"), (2, "g", "y"), (3, "h", "z"))
    assert sorted(delays.discard(lambda item: item in "xz")) == ["x", "z"]
    assert delays.take(9) == ["y"]


def test_discarding_makes_room():
    delays = kept(2, (1, "g", "x"), (2, "g", "y"))
    delays.discard(lambda _: True)
    assert delays.full == set()


class AnyOrder(RuleBasedStateMachine):
    """Delays beside a plain list."""

    @initialize(cap=st.integers(1, 5))
    def begin(self, cap):
        self.cap, self.delays, self.model, self.number = cap, Delays(cap), [], 0

    def count(self, group):
        return sum(entry[2] == group for entry in self.model)

    @rule(due_at=st.integers(0, 20), group=st.sampled_from("gh"))
    def add(self, due_at, group):
        self.number += 1
        self.delays.add(due_at, group, self.number)
        self.model.append((due_at, self.number, group))

    @rule(now=st.integers(-1, 21))
    def take(self, now):
        due = sorted(entry for entry in self.model if entry[0] <= now)
        assert self.delays.take(now) == [number for _, number, _ in due]
        self.model = [entry for entry in self.model if entry[0] > now]

    @rule(divisor=st.integers(1, 4))
    def discard(self, divisor):
        gone = [entry for entry in self.model if entry[1] % divisor == 0]
        discarded = self.delays.discard(lambda number: number % divisor == 0)
        assert sorted(discarded) == sorted(number for _, number, _ in gone)
        self.model = [entry for entry in self.model if entry not in gone]

    @invariant()
    def the_same_is_kept(self):
        assert len(self.delays) == len(self.model)
        assert self.delays.next_due() == min((entry[0] for entry in self.model), default=None)

    @invariant()
    def full_means_the_cap_was_reached_and_half_has_not_left(self):
        for group in "gh":
            if self.count(group) >= self.cap:
                assert group in self.delays.full
            if self.count(group) <= self.cap // 2:
                assert group not in self.delays.full


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_group_is_full_by_the_weight_of_what_waits():
    delays = Delays(100)
    delays.add(5, "heavy", "a", weight=99)
    assert delays.full == frozenset()
    delays.add(6, "heavy", "b", weight=1)
    assert delays.full == {"heavy"}
    delays.take(5)
    assert delays.full == frozenset()

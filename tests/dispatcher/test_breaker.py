"""Whether an endpoint is worth trying: examples, and a machine that does anything in any order."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dispatcher.breaker import Breaker, Rules, restored
from schemas.codec import decode_body
from schemas.released import current

SECOND = 1_000_000
DAY = 86_400 * SECOND


def breaker(now=0, **rules):
    return Breaker(Rules(**rules), now)


def fails(one, times=1, now=0, **how):
    """So many tries that start and fail at once; the last one's change."""
    for _ in range(times):
        change = one.failed(one.starts(), now, "connect", "refused", **how)
    return change


def opened(now=0, **rules):
    one = breaker(now, **rules)
    assert fails(one, 5, now) == "opened"
    return one


def paused(now=0):
    one = breaker(now)
    one.action_version = 3
    assert one.pause(now) == "paused"
    return one


def written(one, now=0):
    """Through its bytes on the topic."""
    schema = current("Endpoint")
    return decode_body(schema.encode(one.record("acme", "crm", now)), 0, schema)


# Opening.


def test_it_is_closed_at_first():
    assert breaker().admits(0)


def test_four_failures_in_a_row_leave_it_closed():
    one = breaker()
    assert (fails(one, 4), one.state) == (None, "closed")


def test_five_failures_in_a_row_open_it():
    assert opened().state == "open"


def test_a_success_between_them_begins_the_count_anew():
    one = breaker()
    fails(one, 4)
    one.succeeded(one.starts(), 0)
    fails(one, 4)
    assert one.state == "closed"


def test_an_answer_that_is_no_delivery_begins_the_count_anew_for_the_endpoint_is_there():
    one = breaker()
    fails(one, 4)
    fails(one, 1, passing=False)
    fails(one, 4)
    assert one.state == "closed"


def test_answers_that_are_no_delivery_never_open_it():
    one = breaker()
    fails(one, 1000, passing=False)
    assert one.state == "closed"


def mixed(one, pattern, now=0):
    for letter in pattern:
        if letter == "s":
            one.succeeded(one.starts(), now)
        else:
            fails(one, 1, now)


def test_more_than_half_of_twenty_tries_in_a_minute_open_it():
    one = breaker()
    mixed(one, "ffs" * 6)
    assert one.state == "closed"
    mixed(one, "ff")
    assert one.state == "open"


def test_half_of_them_does_not():
    one = breaker()
    mixed(one, "sf" * 500)
    assert one.state == "closed"


def test_failures_of_more_than_a_minute_ago_do_not_count():
    one = breaker()
    mixed(one, "ffs" * 6)
    mixed(one, "ffs" * 6, 61 * SECOND)
    assert one.state == "closed"


def test_a_clock_that_jumps_back_forgets_nothing_and_does_no_harm():
    one = breaker(now=100 * SECOND)
    fails(one, 4, now=100 * SECOND)
    assert fails(one, 1, now=10 * SECOND) == "opened"
    assert one.probe_at == 15 * SECOND


# While it is open.


def test_while_it_is_open_no_try_may_start_and_nothing_waits():
    one = opened()
    assert not one.admits(5 * SECOND - 1)
    assert one.holds(5 * SECOND - 1)


def test_after_five_seconds_one_may_and_no_second():
    one = opened()
    assert one.admits(5 * SECOND)
    assert not one.holds(5 * SECOND)
    one.starts()
    assert not one.admits(5 * SECOND)
    assert not one.admits(DAY)


def test_a_probe_that_succeeds_closes_it():
    one = opened()
    assert one.succeeded(one.starts(), 6 * SECOND) == "closed"
    assert one.admits(6 * SECOND)
    assert one.failing_since is None


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_five_minutes():
    one, now, lengths = opened(), 5 * SECOND, []
    for _ in range(8):
        assert fails(one, 1, now) == "probed"
        lengths.append((one.probe_at - now) / SECOND)
        now = one.probe_at
    assert lengths == [10, 20, 40, 80, 160, 300, 300, 300]


def test_a_probe_that_is_answered_though_not_with_a_delivery_closes_it():
    one = opened()
    assert fails(one, 1, 5 * SECOND, passing=False) == "closed"
    assert one.admits(5 * SECOND)


def test_a_probe_that_comes_to_nothing_lets_the_next_one_probe():
    one = opened()
    one.undecided(one.starts())
    assert one.admits(5 * SECOND)


def test_it_stays_open_as_long_as_the_answer_asks_for_but_no_longer_than_an_hour():
    assert fails(one := breaker(), 5, wait=120.0) == "opened"
    assert one.probe_at == 120 * SECOND
    assert fails(one := breaker(), 5, wait=86_400.0) == "opened"
    assert one.probe_at == 3600 * SECOND


def test_what_was_started_before_it_opened_neither_closes_it_nor_opens_it_for_longer():
    one = breaker()
    before = [one.starts() for _ in range(10)]
    for generation in before[:5]:
        one.failed(generation, 0, "timeout")
    probe_at = one.probe_at
    assert one.failed(before[5], SECOND, "timeout") is None
    assert one.succeeded(before[6], SECOND) is None
    one.undecided(before[7])
    assert (one.state, one.probe_at, one.trips) == ("open", probe_at, 1)


def test_what_was_started_before_does_not_end_the_probe():
    one = breaker()
    before = one.starts()
    fails(one, 5)
    one.starts()
    one.failed(before, 5 * SECOND, "timeout")
    one.undecided(before)
    assert not one.admits(5 * SECOND)


def test_when_it_opens_soon_again_it_stays_open_for_longer():
    one = opened()
    one.succeeded(one.starts(), 5 * SECOND)
    fails(one, 5, 6 * SECOND)
    assert one.probe_at == 16 * SECOND


def test_after_a_minute_without_a_failure_it_opens_as_at_first_again():
    one = opened()
    one.succeeded(one.starts(), 5 * SECOND)
    one.succeeded(one.starts(), 70 * SECOND)
    fails(one, 5, 71 * SECOND)
    assert one.probe_at == 76 * SECOND


# Failing for days.


def failing(days, **how):
    """One that fails every hour for so many days; everything that was said of it."""
    one, changes = breaker(), []
    for hour in range(int(days * 24) + 1):
        now = hour * 3600 * SECOND
        changes.append((hour / 24, fails(one, 1, now, **how)))
    return one, [(day, change) for day, change in changes if change not in (None, "probed")]


@pytest.mark.parametrize("passing", [True, False])
def test_before_the_pause_after_five_days_two_warnings_are_given(passing):
    one, changes = failing(5, passing=passing)
    told = [(day, change) for day, change in changes if change in ("warned", "paused")]
    assert told == [(1.0, "warned"), (3.0, "warned"), (5.0, "paused")]
    assert one.state == "paused"


def test_one_success_and_the_five_days_begin_anew():
    one, _ = failing(4.9)
    one.succeeded(one.starts(), int(4.9 * DAY))
    assert fails(one, 1, 6 * DAY) != "paused"
    assert one.failing_since == 6 * DAY


def test_an_endpoint_that_is_hardly_ever_tried_is_warned_of_before_it_is_paused():
    one = breaker()
    assert fails(one, 1, 0, passing=False) is None
    assert fails(one, 1, 6 * DAY, passing=False) == "warned"
    assert one.state == "closed"
    assert fails(one, 1, 6 * DAY, passing=False) == "paused"


def test_without_warnings_it_is_paused_when_its_time_is_up():
    one = breaker(warnings=(), pause_after=60.0)
    fails(one, 1, 0)
    assert fails(one, 1, 60 * SECOND) == "paused"


def test_after_ten_minutes_of_failing_it_is_written_down_once():
    one = breaker()
    changes = [fails(one, 1, minute * 60 * SECOND, passing=False) for minute in range(20)]
    assert [minute for minute, change in enumerate(changes) if change] == [10]
    assert changes[10] == "noted"


# Paused.


def test_while_it_is_paused_nothing_is_tried_however_long_it_waits():
    assert not paused().admits(1000 * DAY)


def test_what_ends_while_it_is_paused_changes_nothing():
    one = breaker()
    before = [one.starts() for _ in range(4)]
    one.pause(0)
    assert one.failed(before[0], 1, "timeout") is None
    assert one.succeeded(before[1], 1) is None
    one.undecided(before[2])
    assert one.state == "paused"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_version_that_is_not_newer_does_not_resume_it(version):
    one = paused()
    assert one.sees(version, DAY) is None
    assert not one.admits(DAY)


def test_a_newer_version_resumes_it_with_a_probe():
    one = paused()
    assert one.sees(4, DAY) == "resumed"
    assert one.admits(DAY)
    one.starts()
    assert not one.admits(DAY)
    assert one.succeeded(one.generation, DAY) == "closed"


def test_the_five_days_begin_anew_when_it_is_resumed():
    one = paused()
    one.sees(4, 9 * DAY)
    fails(one, 1, 9 * DAY)
    assert one.state == "open"


def test_a_newer_version_of_an_open_one_is_probed_at_once():
    one = opened()
    assert one.sees(1, SECOND) is None
    assert one.admits(SECOND)


# Being forgotten.


def test_one_that_is_failing_is_not_forgotten():
    one = breaker()
    fails(one, 1, passing=False)
    assert not one.is_forgettable(DAY)


def test_one_that_closed_is_forgotten_when_its_window_has_passed():
    one = opened()
    one.succeeded(one.starts(), 5 * SECOND)
    assert not one.is_forgettable(6 * SECOND)
    assert one.is_forgettable(70 * SECOND)


# On the topic.


def behaviour(one):
    """What it lets through, by the time it is asked."""
    times = [n * SECOND for n in (0, 1, 4, 5, 6, 9, 11, 3600, 90_000)]
    return [(one.admits(now), one.holds(now)) for now in times]


@pytest.mark.parametrize("make", [opened, paused, lambda: failing(0.02)[0], lambda: failing(2)[0]])
def test_one_that_is_restored_behaves_as_the_one_that_was_written(make):
    one = make()
    again = restored(written(one), Rules(), one.probe_at)
    assert behaviour(again) == behaviour(one)
    assert written(again) == written(one)


def test_a_healthy_one_is_not_restored():
    one = opened()
    one.succeeded(one.starts(), 5 * SECOND)
    assert restored(written(one), Rules(), 6 * SECOND) is None


def test_the_days_of_failing_go_on_over_a_restart():
    one, _ = failing(4.99)
    again = restored(written(one), Rules(), 5 * DAY)
    assert fails(again, 1, 5 * DAY) == "paused"


def test_the_success_of_one_that_was_written_as_failing_is_written_too():
    one = restored(written(failing(0.02)[0]), Rules(), 0)
    assert one.state == "closed"
    assert one.succeeded(one.starts(), SECOND) == "closed"


def test_so_is_that_of_one_whose_probe_was_answered_with_no_delivery():
    """Else the topic says for ever that it fails, and it is paused on its first failure later."""
    one = opened()
    fails(one, 1, 5 * SECOND, passing=False)
    assert written(one)["failing_since"] == 0
    assert one.succeeded(one.starts(), 6 * SECOND) == "closed"


def test_so_is_that_of_one_from_before_it_opened():
    one = breaker()
    before = one.starts()
    fails(one, 5)
    fails(one, 1, 5 * SECOND, passing=False)
    assert one.state == "closed"
    assert one.succeeded(before, 6 * SECOND) == "closed"


def test_what_was_in_flight_before_it_was_restored_does_not_probe():
    without_breaker = 0
    one = restored(written(opened()), Rules(), 6 * SECOND)
    assert one.succeeded(without_breaker, 6 * SECOND) is None
    assert one.state == "open"


def test_a_state_of_a_later_release_counts_as_closed():
    one = restored(written(opened()) | {"state": "half_open"}, Rules(), 0)
    assert one.admits(0)


def test_a_clock_that_was_wrong_does_not_shut_an_endpoint_for_more_than_a_day():
    one = restored(written(opened()) | {"probe_at": 10**17}, Rules(), 0)
    assert one.admits(DAY)


@pytest.mark.parametrize("trips", [-5, 10**6, 2**62])
def test_a_count_that_nobody_wrote_does_no_harm(trips):
    one = restored(written(opened()) | {"trips": trips}, Rules(), 5 * SECOND)
    fails(one, 1, 5 * SECOND)
    assert 5 * SECOND <= one.probe_at - 5 * SECOND <= 300 * SECOND


def test_what_it_says_of_the_last_failure_has_room_in_a_record():
    one = breaker()
    one.failed(one.starts(), 0, "status", "x" * 100_000)
    assert len(written(one)["detail"]) == 2000


class AnyOrder(RuleBasedStateMachine):
    """A breaker among tries that begin and end in any order, beside one restored from its record.

    Kept apart from its own books: which tries are probes, when it last said that it opened.
    """

    @initialize(at_least=st.integers(2, 6), in_a_row=st.integers(1, 5))
    def begin(self, at_least, in_a_row):
        self.rules = Rules(in_a_row, at_least=at_least, pause_after=3600.0)
        self.now = 1000 * DAY
        self.one = Breaker(self.rules, self.now)
        self.one.action_version = self.version = 1
        self.flying = []
        self.probes = []
        self.generation = 0

    def _said(self, change):
        if change in ("opened", "probed", "paused"):
            assert not self.one.admits(self.now)
        if change == "closed":
            assert self.one.state == "closed"
        if change in ("paused", "resumed", "opened"):
            assert self.one.state == {"paused": "paused"}.get(change, "open")

    @rule(seconds=st.sampled_from([0, 0.001, 1, 5, 31, 300, 4000]))
    def time_passes(self, seconds):
        self.now += int(seconds * SECOND)

    @rule()
    def start(self):
        if not self.one.admits(self.now):
            return
        was_closed = self.one.state == "closed"
        generation = self.one.starts()
        if was_closed:
            assert not self.one.probing
        else:
            self.probes = [p for p in self.probes if p in self.flying]
            assert generation not in self.probes, "a second probe"
            self.probes.append(generation)
        self.flying.append(generation)

    def _land(self, which):
        return self.flying.pop(which % len(self.flying))

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 20))
    def succeed(self, which):
        generation, state = self._land(which), self.one.state
        current = generation == self.one.generation
        self._said(self.one.succeeded(generation, self.now))
        if state == "open":
            assert (self.one.state == "closed") == current
        else:
            assert self.one.state == state
        assert state == "paused" or self.one.failing_since is None

    @precondition(lambda self: self.flying)
    @rule(
        which=st.integers(0, 20), passing=st.booleans(), wait=st.sampled_from([0.0, 7.0, 90_000.0])
    )
    def fail(self, which, passing, wait):
        generation, before = self._land(which), (self.one.state, self.one.probe_at)
        current = generation == self.one.generation
        change = self.one.failed(generation, self.now, "dns", passing=passing, wait=wait)
        self._said(change)
        if not current:
            assert (self.one.state, self.one.probe_at) == before, "a try from before changed it"
        if self.one.state == "open" and (self.one.state, self.one.probe_at) != before:
            assert 5 * SECOND <= self.one.probe_at - self.now <= 3600 * SECOND

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 20))
    def come_to_nothing(self, which):
        state = self.one.state
        self.one.undecided(self._land(which))
        assert self.one.state == state

    @rule()
    def pause(self):
        self._said(self.one.pause(self.now))
        assert self.one.state == "paused"

    @rule(newer=st.booleans())
    def see(self, newer):
        state = self.one.state
        self.version += newer
        change = self.one.sees(self.version, self.now)
        assert (change == "resumed") == (newer and state == "paused")
        assert newer or self.one.state == state

    @invariant()
    def its_generation_never_goes_back(self):
        if hasattr(self, "one"):
            assert self.one.generation >= self.generation
            self.generation = self.one.generation

    @invariant()
    def it_admits_nothing_while_it_should_not(self):
        if hasattr(self, "one"):
            one = self.one
            assert one.state != "paused" or not one.admits(self.now + 1000 * DAY)
            if one.state == "open":
                assert not one.admits(one.probe_at - 1)
                assert one.admits(max(self.now, one.probe_at)) != one.probing
            assert one.state != "closed" or one.admits(self.now)

    @invariant()
    def a_probe_is_always_one_that_flies(self):
        if hasattr(self, "one") and self.one.probing:
            assert self.one.generation in self.flying, "nobody will ever end this probe"

    @invariant()
    def the_restored_one_lets_through_the_same(self):
        if not hasattr(self, "one"):
            return
        again = restored(written(self.one, self.now), self.rules, self.now)
        if again is None:
            assert self.one.state == "closed"
            return
        for later in (0, SECOND, 400 * SECOND):
            now = self.now + later
            if not self.one.probing:  # which the next owner knows nothing of
                assert again.admits(now) == self.one.admits(now)
            assert again.holds(now) == self.one.holds(now)
        assert written(again, self.now) == written(self.one, self.now)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

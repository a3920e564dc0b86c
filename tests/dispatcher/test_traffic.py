"""Which dispatch goes now, which waits and which is sent round: examples, by the clock."""

import pytest

from dispatcher.breaker import Rules
from dispatcher.lane import EARLY
from dispatcher.lanes import PATIENCE
from dispatcher.schedule import HOLD, Postponement, Schedule
from dispatcher.traffic import Passenger, Traffic

SECOND = 1_000_000
DAY = 86_400 * SECOND
FOR_EVER = 2**62
DELAYS = (("5s", 5.0), ("1m", 60.0), ("30m", 1800.0))


class Item(Passenger):
    def __init__(
        self, key="acme/crm", attempt=1, action_version=1, routed_at=0, due_at=None,
        hold_until=FOR_EVER, max_in_flight=None, rate_limit=None, weight=10,
        group=("pca.dispatch", 0),
    ):  # fmt: skip
        super().__init__(key, attempt, action_version, routed_at, due_at, hold_until,
                         max_in_flight, rate_limit, weight)  # fmt: skip
        self._group = group

    @property
    def group(self):
        return self._group


class Town:
    """A `Traffic` whose clock moves when told."""

    def __init__(self, cap=400, cap_per_action=4, **rules):
        self.now = 0
        self.schedule = Schedule(DELAYS, dice=lambda: 0.0)
        self.traffic = Traffic(self.schedule, Rules(**rules), cap, cap_per_action)

    def arrive(self, *items):
        return self.traffic.arrive(items, self.now)

    def start(self):
        return list(iter(lambda: self.traffic.next(self.now), None))

    def end(self, item, status=200, error="", wait=0.0, **how):
        status = None if error else status
        return self.traffic.ended(item, status, error, "", self.now, wait, **how)

    def jump(self, seconds):
        """Time passes; the timer goes off as often as it asks for."""
        until = self.now + int(seconds * SECOND)
        moved = []
        while (at := self.traffic.next_wake()) is not None and at <= until:
            self.now = max(self.now, at)
            moved += self.traffic.wake(self.now)
            assert (again := self.traffic.next_wake()) is None or again > self.now or again != at
        self.now = until
        return moved + self.traffic.wake(self.now)

    def fail(self, times=5, key="acme/crm", **fields):
        """So many dispatches that come, start and fail; the last one's ending."""
        for _ in range(times):
            self.arrive(Item(key, **fields))
            (item,) = self.start()
            ending = self.end(item, error="connect")
        return ending


@pytest.fixture
def town():
    return Town()


def why(moved):
    return [one.why for one in moved]


# The plain way.


def test_a_dispatch_starts_at_once_and_nothing_is_left_of_it(town):
    one = Item()
    assert town.arrive(one) == []
    assert town.start() == [one]
    assert town.end(one).outcome.name == "delivered"
    assert (town.traffic.bytes, town.traffic.lanes.lanes(), town.traffic.next_wake()) == (
        0,
        0,
        None,
    )


def test_a_failure_says_where_it_is_tried_again(town):
    town.arrive(one := Item())
    town.start()
    outcome = town.end(one, 503).outcome
    assert (outcome.name, outcome.delay, outcome.due_at) == ("retry", "5s", 5 * SECOND)


def test_retry_after_counts_where_it_is_longer(town):
    town.arrive(one := Item())
    town.start()
    outcome = town.end(one, 429, wait=70.0).outcome
    assert (outcome.name, outcome.delay, outcome.due_at) == ("retry", "1m", 70 * SECOND)


def test_retry_after_does_not_revive_what_ends(town):
    town.arrive(one := Item())
    town.start()
    assert town.end(one, 404, wait=70.0).outcome.name == "dead"


# Waiting for one's time.


def test_what_is_not_due_waits_for_its_time(town):
    town.arrive(Item(attempt=2, due_at=5 * SECOND))
    town.jump(4.9)
    assert town.start() == []
    assert town.traffic.next_wake() == 5 * SECOND
    town.jump(0.1)
    assert len(town.start()) == 1


def test_when_its_topics_delay_has_passed_it_goes_round(town):
    """A `Retry-After` of an hour on the topic of 5 s: it must not hold up what is behind it."""
    one = Item(attempt=2, due_at=3600 * SECOND, hold_until=int(HOLD * 5 * SECOND))
    assert town.arrive(one) == []
    (moved,) = town.jump(7)
    assert (moved.item, moved.why) == (one, "not_due")
    assert moved.to == Postponement("30m", 3600 * SECOND)
    assert town.traffic.next_wake() is None


def test_one_that_was_held_too_long_before_it_was_read_goes_round_at_once(town):
    town.now = 100 * SECOND
    town.arrive(Item(attempt=2, due_at=200 * SECOND, hold_until=50 * SECOND))
    assert why(town.traffic.wake(town.now)) == ["not_due"]


def test_what_waits_for_its_time_fills_its_partition_and_no_other(town, monkeypatch):
    many = [Item(attempt=2, due_at=SECOND, weight=1_200_000, group=("5s", 3)) for _ in range(2)]
    town.arrive(*many, Item(attempt=2, due_at=SECOND, weight=1, group=("5s", 4)))
    assert town.traffic.delays.full == {("5s", 3)}
    assert town.traffic.has_room()
    town.jump(1)
    assert town.traffic.delays.full == frozenset()


# Overflow.


def hanging(town, count, **fields):
    """A lane whose cap hangs, with `count` behind it that have waited too long; what was moved."""
    town.arrive(*(Item(**fields) for _ in range(4 + count)))
    assert len(town.start()) == 4
    return town.jump((PATIENCE + 300_000) / SECOND)


def test_what_a_slow_lane_has_too_much_of_goes_to_the_shortest_delay_its_try_unspent(town):
    moved = hanging(town, 100)
    assert len(moved) == 96
    assert set(why(moved)) == {"overflow"}
    assert {one.to.delay for one in moved} == {"5s"}
    assert {one.item.attempt for one in moved} == {1}


def test_the_last_come_leave(town):
    items = [Item() for _ in range(10)]
    town.arrive(*items)
    town.start()
    assert [one.item for one in town.jump(1.3)] == items[8:]


def test_a_slow_lane_refuses_at_the_door(town):
    hanging(town, 10)
    (moved,) = town.arrive(Item())
    assert (moved.why, moved.to.delay) == ("overflow", "5s")
    assert town.arrive(Item("acme/other")) == []


def test_what_has_gone_round_for_long_is_put_off_for_longer(town):
    town.now = 1000 * SECOND
    hanging(town, 4)
    (moved,) = town.arrive(Item(routed_at=town.now - 600 * SECOND))
    assert (moved.to.delay, moved.to.due_at) == ("30m", town.now + 300 * SECOND)


def test_a_hanging_lane_is_looked_at_again_and_again(town):
    hanging(town, 10)
    for _ in range(20):
        town.arrive(Item())
        assert town.traffic.next_wake() <= town.now + 250_000
        town.jump(1)
    assert town.traffic.lanes.waiting[EARLY] == 4


# The breaker.


def test_five_failures_open_the_endpoint_and_what_waits_is_sent_round(town):
    town.arrive(*(Item() for _ in range(20)))
    for item in town.start():
        assert town.end(item, error="connect").moved == []
    fifth, *others = town.start()
    ending = town.end(fifth, error="connect")
    assert ending.change == "opened"
    assert why(ending.moved) == ["open"] * 12
    assert {one.to.due_at for one in ending.moved} == {5 * SECOND}
    assert town.traffic.lanes.waiting == [0, 0]
    assert town.traffic.bytes == sum(item.weight for item in others)


def test_what_comes_while_it_is_open_is_not_tried(town):
    town.fail()
    (moved,) = town.arrive(Item())
    assert (moved.why, moved.to) == ("open", Postponement("5s", 5 * SECOND))
    assert town.start() == []


def test_it_waits_as_long_as_the_endpoint_is_open(town):
    for _ in range(5):
        town.arrive(Item())
        town.end(*town.start(), 503, wait=600.0)
    (moved,) = town.arrive(Item())
    assert moved.to == Postponement("30m", 600 * SECOND)


def test_when_its_time_has_come_exactly_one_probes(town):
    town.fail()
    town.now = 5 * SECOND
    town.arrive(*(Item(attempt=2) for _ in range(10)), *(Item() for _ in range(10)))
    assert len(town.start()) == 1
    town.jump(0.5)
    assert town.start() == []


def test_when_the_probe_succeeds_the_rest_follow(town):
    town.fail()
    town.now = 5 * SECOND
    town.arrive(*(Item() for _ in range(10)))
    (probe,) = town.start()
    assert town.end(probe).change == "closed"
    assert len(town.start()) == 3


def test_of_a_herd_that_comes_back_at_its_time_few_wait_beside_the_probe(town):
    town.fail()
    town.now = 5 * SECOND
    moved = town.arrive(*(Item() for _ in range(500)))
    assert len(moved) == 496
    assert set(why(moved)) == {"open"}


def test_when_the_probe_fails_the_rest_are_sent_round_again(town):
    town.fail()
    town.now = 5 * SECOND
    town.arrive(*(Item() for _ in range(10)))
    ending = town.end(*town.start(), error="timeout")
    assert ending.change == "probed"
    assert why(ending.moved) == ["open"] * 3
    assert {one.to.due_at for one in ending.moved} == {15 * SECOND}
    assert town.start() == []


@pytest.mark.parametrize("error", ["unrenderable", "unsupported", "sealed", "no_client_id"])
def test_a_probe_that_ends_by_our_fault_or_by_none_lets_the_next_one_probe(town, error):
    town.fail()
    town.now = 5 * SECOND
    town.arrive(Item(), Item())
    assert town.end(*town.start(), error=error).change is None
    assert len(town.start()) == 1


@pytest.mark.parametrize("error", ["url_too_long", "too_large"])
def test_so_does_one_that_was_never_sent(town, error):
    """It says nothing of the endpoint, and used to close the breaker of a dead one."""
    town.fail()
    town.now = 5 * SECOND
    town.arrive(*(Item() for _ in range(10)))
    assert town.end(*town.start(), error=error).change is None
    assert len(town.start()) == 1


def test_dispatches_that_are_too_large_do_not_pause_an_endpoint(town):
    for day in range(10):
        town.now = day * DAY
        town.arrive(Item())
        town.end(*town.start(), error="url_too_long")
    assert len(town.traffic.endpoints) == 0


def test_a_probe_that_is_given_up_lets_the_next_one_probe(town):
    town.fail()
    town.now = 5 * SECOND
    town.arrive(Item(), Item())
    town.traffic.abandoned(*town.start())
    assert len(town.start()) == 1


def test_an_endpoint_that_fails_holds_up_no_other(town):
    town.fail()
    assert town.arrive(Item("acme/other")) == []
    assert len(town.start()) == 1


def test_what_ends_when_somebody_else_owns_the_endpoint_is_not_held_against_it(town):
    town.arrive(*(Item(max_in_flight=9) for _ in range(9)))
    for item in town.start():
        ending = town.end(item, error="timeout", ours=False)
        assert (ending.outcome.name, ending.change) == ("retry", None)
    assert (len(town.traffic.endpoints), town.traffic.endpoints.changed) == (0, {})
    assert (town.traffic.bytes, town.traffic.lanes.lanes()) == (0, 0)


def test_a_clock_that_jumps_back_before_the_probe_forgets_no_dispatch(town):
    town.fail()
    town.now = 5 * SECOND
    assert town.arrive(Item()) == []
    town.now = 3 * SECOND
    assert town.start() == []
    moved = town.jump(0.3)
    assert why(moved) == ["open"]
    assert town.traffic.lanes.lanes() == 0


def test_a_clock_that_jumps_back_does_not_stop_the_sweeps(town):
    town.now = 10_000 * SECOND
    hanging(town, 0)
    town.now = 100 * SECOND
    town.arrive(*(Item("acme/other") for _ in range(50)))
    town.start()
    town.traffic.wake(town.now)
    assert town.traffic.next_wake() <= town.now + SECOND
    assert len(town.jump(2)) == 42


# 410, and days of failure.


def test_410_ends_the_dispatch_and_pauses_the_action(town):
    town.arrive(*(Item() for _ in range(4)), *(Item() for _ in range(6)))
    first, *others = town.start()
    ending = town.end(first, 410)
    assert (ending.outcome.name, ending.change) == ("dead", "paused")
    assert [(one.why, one.to) for one in ending.moved] == [("paused", None)] * 6
    assert town.start() == []
    for other in others:
        assert town.end(other).change is None


def test_what_comes_while_it_is_paused_is_kept_with_the_dead(town):
    town.arrive(one := Item())
    town.start()
    town.end(one, 410)
    town.now = 1000 * DAY
    (moved,) = town.arrive(Item())
    assert (moved.why, moved.to) == ("paused", None)


def test_a_retry_of_a_paused_action_is_kept_too_when_it_falls_due(town):
    town.arrive(Item(), Item(attempt=2, due_at=5 * SECOND))
    town.end(*town.start(), 410)
    assert why(town.jump(5)) == ["paused"]


def test_a_newer_version_of_the_action_is_tried_once_and_when_that_succeeds_all_are(town):
    town.arrive(one := Item())
    town.start()
    town.end(one, 410)
    assert town.arrive(*(Item(action_version=2) for _ in range(4))) == []
    (probe,) = town.start()
    assert town.traffic.endpoints.changed["acme/crm"][0] == "resumed"
    assert town.end(probe).change == "closed"
    assert len(town.start()) == 3


def test_a_retry_of_the_older_version_does_not_pause_the_newer_one_again(town):
    town.arrive(one := Item())
    town.start()
    town.end(one, 410)
    town.arrive(Item(action_version=2), Item(action_version=2))
    town.end(*town.start())
    old = Item(attempt=3, action_version=1)
    assert town.arrive(old) == []
    assert old in town.start()
    assert town.end(old, 410).outcome.name == "dead"
    assert town.arrive(Item(action_version=2)) == []


def test_what_waits_behind_a_410_with_a_newer_version_is_not_paused(town):
    old, *others = items = [Item(max_in_flight=1), Item(max_in_flight=1, action_version=2)]
    town.arrive(*items)
    assert town.start() == [old]
    ending = town.end(old, 410)
    assert ending.moved == []
    assert town.start() == others
    assert town.traffic.endpoints.get("acme/crm").state == "open"


def test_days_of_failure_pause_it_after_warnings():
    town = Town()
    told = []
    for hour in range(24 * 6):
        town.now = hour * 3600 * SECOND
        if moved := town.arrive(Item(routed_at=town.now)):
            assert why(moved) == ["paused"]
            break
        change = town.end(*town.start(), error="dns").change
        if change in ("warned", "paused"):
            told.append((hour / 24, change))
    assert told == [(1.0, "warned"), (3.0, "warned"), (5.0, "paused")]


# Shares, room, and what is given back.


def test_a_storm_of_retries_does_not_keep_new_calls_waiting():
    town = Town(cap=8)  # six for new calls, two for retries
    town.arrive(*(Item(f"a/{n}", attempt=2) for n in range(100)))
    assert len(town.start()) == 2
    town.arrive(*(Item(f"b/{n}") for n in range(100)))
    assert len(town.start()) == 6


def test_many_retries_stop_the_reading_of_retries_only_until_half_of_them_are_gone():
    town = Town(cap=8)
    town.arrive(*(Item(f"a/{n}", attempt=2) for n in range(6)))
    town.start()
    assert town.traffic.late_is_full()
    assert town.traffic.has_room()
    for _ in range(2):
        town.traffic.discard(lambda item: item.key in ("a/2", "a/3"))
    assert town.traffic.late_is_full()
    town.traffic.discard(lambda item: item.key == "a/4")
    assert not town.traffic.late_is_full()


def test_what_waits_is_given_back_wherever_it_waits(town):
    waiting = [Item(), Item(attempt=2, due_at=60 * SECOND), Item("b/x")]
    town.arrive(*(Item() for _ in range(4)), *waiting[:2])
    town.start()
    town.arrive(waiting[2])
    assert set(town.traffic.discard(lambda _: True)) == set(waiting)
    assert town.traffic.bytes == 40
    assert len(town.traffic.delays) == 0


@pytest.mark.parametrize("way", ["end", "abandon", "overflow", "drain", "discard", "delay"])
def test_every_byte_that_comes_goes(way):
    town = Town()
    if way == "delay":
        town.arrive(Item(attempt=2, due_at=SECOND), Item(attempt=2, due_at=10**12, hold_until=1))
        town.jump(1)
    else:
        town.arrive(*(Item(weight=n) for n in range(1, 30)))
    flying = town.start()
    if way == "overflow":
        town.jump(2)
    if way == "discard":
        town.traffic.discard(lambda _: True)
    if way == "drain":
        town.end(flying.pop(), 410)
    while flying:
        for item in flying:
            if way == "abandon":
                town.traffic.abandoned(item)
            else:
                town.end(item)
        flying = town.start()
    assert (town.traffic.bytes, town.traffic.lanes.lanes()) == (0, 0)

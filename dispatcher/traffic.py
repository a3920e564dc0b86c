"""Which dispatch goes now, which waits, and which is sent round: every rule of delivery but I/O.

Synchronous; times are microseconds since 1970. The shell (`Delivery`) gives it what arrives and
what ended, and carries out what it says. So a million dispatches are simulated in a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Literal, TypeVar

from mypy_extensions import mypyc_attr

from dispatcher import outcome as outcomes
from dispatcher.breaker import Breaker, Change, Rules
from dispatcher.delays import Delays
from dispatcher.endpoints import Endpoints
from dispatcher.lane import EARLY, LATE, Item
from dispatcher.lanes import SWEEP, Lanes
from dispatcher.outcome import Outcome, outcome
from dispatcher.schedule import Postponement, Schedule

DUE_AT_ONCE = 500
"""Of what falls due together, so many are looked at before anything else has its turn."""
HELD_PER_PARTITION = 2 * 1024 * 1024
"""Bytes of retries kept for each partition of a retry topic before reading of it pauses."""
HELD_IN_ALL = 16 * 1024 * 1024
"""The same for all of them together; where there are very many each still has a sixteenth. Kafka
keeps the rest: what is read ahead of its time costs memory and wins nothing."""
HELD_IN_HAND = 256 * 1024 * 1024
"""Bytes of dispatches waiting for their turn or in flight before no more is taken in."""

Why = Literal["overflow", "open", "not_due", "paused"]


@mypyc_attr(allow_interpreted_subclasses=True)
class Passenger(Item):
    """A dispatch as far as the rules look at it."""

    def __init__(
        self,
        key: str,
        attempt: int,
        action_version: int,
        routed_at: int,
        due_at: int | None,
        hold_until: int,
        max_in_flight: int | None,
        rate_limit: float | None,
        weight: int,
    ) -> None:
        """`hold_until`: when it goes round rather than wait longer for `due_at`; `weight`: bytes of
        memory."""
        kind = EARLY if attempt <= 1 else LATE
        super().__init__(key, kind, action_version, max_in_flight, rate_limit)
        self.attempt = attempt
        self.routed_at = routed_at
        self.due_at = due_at
        self.hold_until = hold_until
        self.weight = weight
        self.generation = 0
        """Set when it starts."""

    @property
    def group(self) -> Hashable:
        """What it was read from."""
        raise NotImplementedError


T = TypeVar("T", bound=Passenger)


class Moved(Generic[T]):
    """A dispatch that is not tried now: it goes to another topic, its attempt unspent."""

    def __init__(self, item: T, why: Why, to: Postponement | None) -> None:
        """`to` is None for `paused`: it is kept with the dead."""
        self.item = item
        self.why = why
        self.to = to


class Ending(Generic[T]):
    """What comes of a try."""

    def __init__(self, outcome: Outcome, change: Change | None, moved: Sequence[Moved[T]]) -> None:
        """`change` is what became of the endpoint, where something did; `moved` what waited behind
        the try and waits no longer."""
        self.outcome = outcome
        self.change = change
        self.moved = moved


class Traffic(Generic[T]):
    """All state of deliveries in one process."""

    def __init__(self, schedule: Schedule, rules: Rules, cap: int, cap_per_action: int) -> None:
        self.schedule = schedule
        self.endpoints = Endpoints(rules)
        self.lanes: Lanes[T] = Lanes(cap, cap_per_action, self.endpoints.may_start)
        self.delays: Delays[T] = Delays(HELD_PER_PARTITION)
        self.bytes = 0
        """Of what waits for its turn or is in flight."""
        self._sweep_at = 0
        self._late_is_full = False

    def share_out(self, partitions: int) -> None:
        """Bound what is kept of retries by how many partitions of retry topics there are."""
        share = HELD_IN_ALL // max(1, partitions)
        self.delays.cap = max(HELD_PER_PARTITION // 16, min(HELD_PER_PARTITION, share))

    def arrive(self, items: Sequence[T], now: int) -> list[Moved[T]]:
        """Dispatches have been read."""
        moved: list[Moved[T]] = []
        for item in items:
            due_at = item.due_at
            if due_at is not None and due_at > now:
                self.delays.add(min(due_at, item.hold_until), item.group, item, item.weight)
            else:
                self._offer(item, now, moved)
        return moved

    def wake(self, now: int) -> list[Moved[T]]:
        """Time has passed: retries fall due, slow lanes are relieved."""
        moved: list[Moved[T]] = []
        for item in self.delays.take(now, DUE_AT_ONCE):
            if item.due_at is not None and item.due_at > now:
                to = self.schedule.go_round(now, item.due_at)
                moved.append(Moved(item, "not_due", to))
            else:
                self._offer(item, now, moved)
        # By more than its distance only where the clock was put back.
        if now >= self._sweep_at or self._sweep_at > now + SWEEP:
            self._sweep_at = now + SWEEP
            for key in self.endpoints.shut():
                self._look_again(key, now, moved)
            for item in self.lanes.sweep(now):
                self.bytes -= item.weight
                moved.append(self._put_off(item, "overflow", now))
        return moved

    def next_wake(self) -> int | None:
        """When `wake` is to be called next, if nothing else happens."""
        times = [self.delays.next_due(), self.lanes.next_wake()]
        if self.lanes.lanes():
            times.append(self._sweep_at)
        return min((time for time in times if time is not None), default=None)

    def next(self, now: int) -> T | None:
        """The dispatch to try now, counted as in flight; None when none may be."""
        item = self.lanes.next(now)
        if item is not None:
            item.generation = self.endpoints.starts(item.key)
        return item

    def ended(
        self,
        item: T,
        status: int | None,
        error: str,
        detail: str,
        now: int,
        wait: float = 0.0,
        *,
        ours: bool = True,
    ) -> Ending[T]:
        """A try has ended. `status` of the answer, if one came; `error` if none did; `wait`: the
        seconds that `Retry-After` asked for; `ours`: False where somebody else owns the endpoint by
        now, and judges it."""
        result = outcome(status, error, item.attempt, self.schedule, now, wait)
        change = None
        if ours:
            change = self._tell(item, result, status, error, detail, now, wait)
        else:
            self.endpoints.undecided(item.key, item.generation)
        moved: list[Moved[T]] = []
        self._look_again(item.key, now, moved)
        self.lanes.ended(item)
        self.bytes -= item.weight
        return Ending(result, change, moved)

    def abandoned(self, item: T) -> None:
        """A try that had been started is not made."""
        self.endpoints.undecided(item.key, item.generation)
        self.lanes.ended(item)
        self.bytes -= item.weight

    def has_room(self, coming: int = 0) -> bool:
        """False while twice as much is in hand as may be in flight, or more waits than is started
        within half of `lanes.PATIENCE`. `coming`: read already and not yet arrived. Any thread may
        ask this, and the next."""
        lanes = self.lanes
        waiting = lanes.waiting[EARLY] + coming
        return (
            waiting + lanes.in_flight[EARLY] < 2 * lanes.shares[EARLY]
            # Else a process that is busy would take its own slowness for that of its lanes.
            and waiting - lanes.waiting_in_slow < lanes.brisk
            and self.bytes < HELD_IN_HAND
        )

    def late_is_full(self) -> bool:
        """True while so many retries wait for their turn that no more should be read; new calls
        are, meanwhile."""
        # Half empty before more is read: pausing and resuming is not free.
        limit = self.lanes.shares[LATE] * (1 if self._late_is_full else 2)
        self._late_is_full = self.lanes.waiting[LATE] >= limit
        return self._late_is_full

    def discard(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out, and return, all that waits of which `unwanted` is true."""
        waiting = self.lanes.discard(unwanted)
        self.bytes -= sum(item.weight for item in waiting)
        return waiting + self.delays.discard(unwanted)

    def _look_again(self, key: str, now: int, moved: list[Moved[T]]) -> None:
        """What waits for an endpoint that is tried no more is sent round, but for what a newer
        version of the action made."""
        breaker = self.endpoints.get(key)
        if breaker is None:
            return
        if breaker.state == "paused" or breaker.holds(now):
            for waiting in self.lanes.drain(key):
                self.bytes -= waiting.weight
                self._offer(waiting, now, moved)
        else:
            self.lanes.look_again(key)

    def _offer(self, item: T, now: int, moved: list[Moved[T]]) -> None:
        breaker = self.endpoints.sees(item.key, item.action_version, now)
        if breaker is not None and (breaker.state == "paused" or breaker.holds(now)):
            moved.append(self._refused(item, breaker, now))
            return
        # Beside a probe few may wait: all that was put off until then has come back.
        narrow = breaker is not None and breaker.state == "open"
        if self.lanes.offer(item, now, narrow=narrow):
            self.bytes += item.weight
        else:
            moved.append(self._put_off(item, "open" if narrow else "overflow", now))

    def _refused(self, item: T, breaker: Breaker, now: int) -> Moved[T]:
        if breaker.state == "paused":
            return Moved(item, "paused", None)
        return self._put_off(item, "open", now, breaker.probe_at)

    def _put_off(self, item: T, why: Why, now: int, until: int = 0) -> Moved[T]:
        return Moved(item, why, self.schedule.put_off(now, item.routed_at, until))

    def _tell(
        self,
        item: T,
        result: Outcome,
        status: int | None,
        error: str,
        detail: str,
        now: int,
        wait: float,
    ) -> Change | None:
        """Have the endpoint's breaker know."""
        if result.name == "delivered":
            return self.endpoints.succeeded(item.key, item.generation, now)
        error = error or "status"
        if outcomes.fault(error) != "customer" or error in outcomes.NEVER_SENT:
            self.endpoints.undecided(item.key, item.generation)
            return None
        return self.endpoints.failed(
            item.key,
            item.action_version,
            item.generation,
            now,
            error,
            detail,
            passing=outcomes.retried(status, error),
            gone=status == outcomes.GONE,
            wait=wait,
        )

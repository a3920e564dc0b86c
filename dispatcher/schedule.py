"""When a dispatch is tried again, and on which topic it waits until then.

Each topic holds one delay, so that what is read first is due first. Pure; times are microseconds
since 1970, delays seconds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

JITTER = 0.1
"""Above the delay, as a share of it: what failed together does not come back together."""
HOLD = 1.25
"""A record is held at most so many times its topic's delay; what must wait longer goes round again.
Else one endpoint's `Retry-After` of a day would hold up everybody's retries behind it."""
FAR = 15.0
"""A topic whose delay is so many times the wait is not used for it: where much waits for hours,
what waits for a minute would not be read in time."""
LONGEST_WAIT = 1800.0
"""Seconds for which a dispatch that is not being tried is put off, at most."""
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Postponement:
    """Where and until when a dispatch waits."""

    delay: str
    """As the schedule writes it, which names the topic."""
    due_at: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The delays after the first, second, … failed try, as written and in seconds."""

    delays: tuple[tuple[str, float], ...]
    """At least one."""
    dice: Callable[[], float] = random.random
    """From 0 up to 1."""
    _by_length: tuple[tuple[str, float], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_length = tuple(sorted(self.delays, key=lambda delay: delay[1]))
        object.__setattr__(self, "_by_length", by_length)  # it is frozen

    def after(self, attempt: int, now: int, at_least: float = 0.0) -> Postponement | None:
        """When to try again after the failed try with that number (from 1), and not before
        `at_least` seconds have passed; None when it was the last."""
        if attempt > len(self.delays):
            return None
        # A foreign producer may count from 0, or backwards.
        name, delay = self.delays[max(attempt, 1) - 1]
        if at_least > delay:
            name = self._topic(at_least)
        wait = max(at_least, delay * (1 + JITTER * self.dice()))
        return Postponement(name, now + int(wait * _SECOND))

    def put_off(self, now: int, routed_at: int, until: int = 0) -> Postponement:
        """When to look again at a dispatch that may not be tried now, and not before `until`.

        One that has waited long waits longer, so that a hopeless queue is not written again and
        again: half its age, from the shortest delay to `LONGEST_WAIT`.
        """
        half_age = min((now - routed_at) / _SECOND / 2, LONGEST_WAIT)
        _, shortest = self._by_length[0]
        wait = max(shortest, half_age, (until - now) / _SECOND) * (1 + JITTER * self.dice())
        return Postponement(self._topic(wait), max(until, now + int(wait * _SECOND)))

    def go_round(self, now: int, due_at: int) -> Postponement:
        """The next topic for one that is not due yet though its topic's delay has passed."""
        return Postponement(self._topic((due_at - now) / _SECOND), due_at)

    def _topic(self, wait: float) -> str:
        """The shortest delay whose topic holds a record for `wait` seconds; where that is far too
        long, or there is none, the longest below, from which the record goes round."""
        for name, delay in self._by_length:
            if wait <= delay * HOLD and delay <= wait * FAR:
                return name
        below = [name for name, delay in self._by_length if delay <= wait]
        return below[-1] if below else self._by_length[0][0]

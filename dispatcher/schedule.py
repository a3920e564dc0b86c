"""When a dispatch is tried again, and on which topic it waits until then.

Each topic holds one delay, so that what is read first is due first. Pure; times are microseconds
since 1970, delays seconds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

JITTER = 0.1
"""Above the delay, as a share of it: what failed together does not come back together."""
HOLD = 1.25
"""A record is held at most so many times its topic's delay; what must wait longer goes round again.
Else one endpoint's `Retry-After` of a day would hold up everybody's retries behind it."""
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

    def after(self, attempt: int, now: int, at_least: float = 0.0) -> Postponement | None:
        """When to try again after the failed try with that number (from 1), and not before
        `at_least` seconds have passed; None when it was the last."""
        if attempt > len(self.delays):
            return None
        # A foreign producer may count from 0, or backwards.
        name, delay = self.delays[max(attempt, 1) - 1]
        if at_least > delay:
            name, _ = self._topic(at_least)
        wait = max(at_least, delay * (1 + JITTER * self.dice()))
        return Postponement(name, now + int(wait * _SECOND))

    def put_off(self, now: int, routed_at: int, until: int = 0) -> Postponement:
        """When to look again at a dispatch that may not be tried now, and not before `until`.

        One that has waited long waits longer, so that a hopeless queue is not written again and
        again: half its age, from the shortest delay to `LONGEST_WAIT`.
        """
        half_age = min((now - routed_at) / _SECOND / 2, LONGEST_WAIT)
        name, delay = self._topic(max(half_age, (until - now) / _SECOND))
        wait = delay * (1 + JITTER * self.dice())
        return Postponement(name, max(until, now + int(wait * _SECOND)))

    def go_round(self, now: int, due_at: int) -> Postponement:
        """The next topic for one that is not due yet though its topic's delay has passed."""
        name, _ = self._topic((due_at - now) / _SECOND)
        return Postponement(name, due_at)

    def _topic(self, wait: float) -> tuple[str, float]:
        """The longest delay that is not above `wait` seconds, else the shortest."""
        fitting = [delay for delay in self.delays if delay[1] <= wait]
        if not fitting:
            return min(self.delays, key=lambda delay: delay[1])
        return max(fitting, key=lambda delay: delay[1])

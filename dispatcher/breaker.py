"""Whether an endpoint is worth trying: one breaker for each that has failed of late.

Synchronous and without I/O; times are microseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from schemas.released import Record

State = Literal["closed", "open", "paused"]
Change = Literal["opened", "probed", "closed", "warned", "noted", "paused", "resumed"]
_SECOND = 1_000_000
_NOTED = 600 * _SECOND
"""After so long of failing alone it is written down, so that a restart does not start the count
again."""
_MOST_TRIPS = 30


@dataclass(frozen=True, slots=True)
class Rules:
    """When it opens, how long for, and when it is given up. Times in seconds."""

    in_a_row: int = 5
    """Failures after which it opens."""
    share: float = 0.5
    """Of the tries in a window that fail, above which it opens; with `at_least` tries."""
    at_least: int = 20
    window: float = 60.0
    first_open: float = 5.0
    """How long it stays open at first; twice as long each time that the probe fails."""
    longest_open: float = 300.0
    longest_wait: float = 3600.0
    """Of what an answer's `Retry-After` asks for, which concerns that dispatch first of all."""
    pause_after: float = 5 * 86_400.0
    """Of failing and nothing else."""
    warnings: tuple[float, ...] = (0.2, 0.6)
    """Shares of `pause_after` at which it is warned of."""


class Breaker:
    """*Closed*: tries are made. *Open*: none is until `probe_at`, then one, the probe: its success
    closes, its failure opens for longer. *Paused*: none is until a newer version of the action.

    Every try carries the `generation` that it was started in. What comes of one from before the
    breaker opened neither closes it nor opens it for longer.
    """

    __slots__ = (
        "_bad", "_good", "_rules", "_turned_at", "action_version", "detail", "error",
        "failing_since", "failures", "generation", "noted", "probe_at", "probing", "since", "state",
        "trips", "warned",
    )  # fmt: skip

    def __init__(self, rules: Rules, now: int) -> None:
        self._rules = rules
        self.state: State = "closed"
        self.since = now
        self.action_version = 0
        self.generation = 0
        self.failing_since: int | None = None
        self.failures = 0
        self.trips = 0
        self.probe_at = 0
        self.probing = False
        self.warned = 0
        self.noted = False
        self.error = self.detail = ""
        # Of this half of the window and the one before.
        self._good, self._bad = [0, 0], [0, 0]
        self._turned_at = now

    # Before a try.

    def holds(self, now: int) -> bool:
        """No try may wait here: none will be made for a while."""
        return self.state == "open" and now < self.probe_at

    def admits(self, now: int) -> bool:
        """A try may start now."""
        if self.state == "closed":
            return True
        return self.state == "open" and now >= self.probe_at and not self.probing

    def starts(self) -> int:
        """A try starts, as the probe unless closed; the generation it belongs to."""
        if self.state == "open":
            self.probing = True
        return self.generation

    def sees(self, action_version: int, now: int) -> Change | None:
        """A dispatch of the action as it was saved later: somebody mended it, so it is tried."""
        if action_version <= self.action_version:
            return None
        self.action_version = action_version
        if self.state == "closed":
            return None
        change: Change | None = "resumed" if self.state == "paused" else None
        if change:
            self.state, self.since = "open", now
            self.failing_since, self.warned, self.trips = None, 0, 0
        self.probe_at = min(self.probe_at, now)
        return change

    # After a try.

    def succeeded(self, generation: int, now: int) -> Change | None:
        """It was delivered."""
        told = self.noted or self.warned > 0
        self.failing_since, self.failures, self.warned, self.noted = None, 0, 0, False
        if self.state == "paused":
            return None
        if self.state == "open":
            if generation != self.generation:
                return None
            self._enter("closed", now)
            self._good, self._bad = [1, 0], [0, 0]
            self._turned_at = now
            return "closed"
        if generation == self.generation:
            self._turn(now)
            self._good[0] += 1
        return "closed" if told else None

    def failed(
        self,
        generation: int,
        now: int,
        error: str,
        detail: str = "",
        *,
        passing: bool = True,
        wait: float = 0.0,
    ) -> Change | None:
        """It was not. `passing`: the endpoint was not to be had, rather than not willing, and only
        that opens the breaker; `wait`: seconds that the answer asked for."""
        if self.state == "paused":
            return None
        if self.failing_since is None:
            self.failing_since = now
        self.error, self.detail = error, detail
        self.failures = self.failures + 1 if passing else 0
        current = generation == self.generation
        # An endpoint that is hardly ever tried is warned of too before it is given up.
        warned = self.warned >= len(self._rules.warnings)
        failing = now - self.failing_since
        if failing >= self._rules.pause_after * _SECOND and warned and current:
            return self.pause(now)
        if current and self.state == "open":
            self.probing = False
            if passing:
                self._open(now, wait)
                return self._warning(now) or "probed"
            # It answers, so it is there.
            self._enter("closed", now)
            self.noted = True
            return "closed"
        if current and passing:
            self._turn(now)
            self._bad[0] += 1
            if self._is_too_much():
                self._open(now, wait)
                return "opened"
        return self._warning(now)

    def undecided(self, generation: int) -> None:
        """The try came to nothing that the endpoint could be judged by: the next one probes."""
        if generation == self.generation:
            self.probing = False

    def pause(self, now: int) -> Change | None:
        """Try no more."""
        if self.state == "paused":
            return None
        self._enter("paused", now)
        return "paused"

    def is_forgettable(self, now: int) -> bool:
        """Nothing is left that a breaker made anew would not know."""
        if self.state != "closed" or self.failing_since is not None:
            return False
        self._turn(now)
        return not any(self._bad) and self.trips == 0

    def _is_too_much(self) -> bool:
        if self.failures >= self._rules.in_a_row:
            return True
        bad, tries = sum(self._bad), sum(self._bad) + sum(self._good)
        return tries >= self._rules.at_least and bad > tries * self._rules.share

    def _open(self, now: int, wait: float) -> None:
        length = min(self._rules.first_open * 2.0**self.trips, self._rules.longest_open)
        self.trips = min(self.trips + 1, _MOST_TRIPS)
        if self.state != "open":
            self._enter("open", now)
        self.generation += 1
        wait = min(wait, self._rules.longest_wait)
        self.probe_at = now + int(max(length, wait) * _SECOND)

    def _enter(self, state: State, now: int) -> None:
        self.state, self.since = state, now
        self.probing = False
        self.generation += 1

    def _warning(self, now: int) -> Change | None:
        assert self.failing_since is not None
        failing = now - self.failing_since
        due = sum(
            failing >= share * self._rules.pause_after * _SECOND for share in self._rules.warnings
        )
        if due > self.warned:
            self.warned = due
            return "warned"
        if failing >= _NOTED and not self.noted and self.state == "closed":
            self.noted = True
            return "noted"
        return None

    def _turn(self, now: int) -> None:
        """Forget what is older than the window, by halves."""
        half = int(self._rules.window * _SECOND / 2)
        passed = (now - self._turned_at) // half
        if passed <= 0:
            return
        self._turned_at += passed * half
        for counts in (self._good, self._bad):
            counts[1] = counts[0] if passed == 1 else 0
            counts[0] = 0
        if not any(self._bad) and self.state == "closed" and self.failing_since is None:
            self.trips = 0

    # On `pca.endpoints`.

    def record(self, account_id: str, action_id: str, now: int) -> Record:
        """As an Endpoint record."""
        return {
            "account_id": account_id,
            "action_id": action_id,
            "action_version": self.action_version,
            "state": self.state,
            "since": self.since,
            "failing_since": self.failing_since,
            "failures": self.failures,
            "trips": self.trips,
            "probe_at": self.probe_at if self.state == "open" else None,
            "warned": self.warned,
            "error": self.error,
            "detail": self.detail[:2000],
            "updated_at": now,
        }


def restored(record: dict[str, Any], rules: Rules, now: int) -> Breaker | None:
    """The breaker of an Endpoint record; None for one that has nothing to remember."""
    if record["state"] == "closed" and record["failing_since"] is None:
        return None
    breaker = Breaker(rules, now)
    if record["state"] in ("open", "paused"):  # another word would be a later release's
        breaker.state = record["state"]
    breaker.since = record["since"]
    breaker.action_version = record["action_version"]
    breaker.failing_since = record["failing_since"]
    breaker.failures = record["failures"]
    breaker.trips = max(0, min(record["trips"], _MOST_TRIPS))
    # What is in flight here since before it was restored is no probe of it.
    breaker.generation = 1
    # A clock that was wrong when it was written must not keep the endpoint shut for years.
    longest = now + 86_400 * _SECOND
    breaker.probe_at = min(record["probe_at"] or 0, longest)
    breaker.warned = record["warned"]
    breaker.noted = breaker.state == "closed"
    breaker.error, breaker.detail = record["error"], record["detail"]
    return breaker

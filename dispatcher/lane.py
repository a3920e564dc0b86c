"""One action's lane: what waits in it, its cap, and its rate limit.

Synchronous; times are microseconds since 1970.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, Generic, TypeVar

from mypy_extensions import mypyc_attr

EARLY, LATE = 0, 1
"""First tries, and tries after a failure. Each has a share of what may be in flight, so a storm of
the one leaves room for the other."""
_BURST = 0.1
"""Seconds' worth of a rate limit that may start at once: in a second a tenth above it at most."""
_SECOND = 1_000_000


@mypyc_attr(allow_interpreted_subclasses=True)
class Item:
    """What waits in a lane."""

    def __init__(
        self,
        key: str,
        kind: int,
        action_version: int,
        max_in_flight: int | None,
        rate_limit: float | None,
    ) -> None:
        self.key = key
        """Of the action."""
        self.kind = kind
        """`EARLY` or `LATE`."""
        self.action_version = action_version
        """The limits are those of the latest."""
        self.max_in_flight = max_in_flight
        self.rate_limit = rate_limit
        """Starts a second."""
        self.offered_at = 0
        """Set when it begins to wait."""


T = TypeVar("T", bound=Item)


class Queue(Generic[T]):
    """What waits in a lane, of one kind."""

    __slots__ = ("flying", "in_flight", "items", "kind", "lane", "queued")

    def __init__(self, lane: Lane[T], kind: int) -> None:
        self.lane = lane
        self.kind = kind
        self.items: deque[T] = deque()
        self.in_flight = 0
        self.flying: dict[T, int] = {}
        """What is in flight, and since when; the oldest first."""
        self.queued = False
        """It stands in the queue of turns."""


class Lane(Generic[T]):
    """One action's early and late queue, under one cap and one rate."""

    __slots__ = (
        "cap", "key", "queues", "rate", "slow", "throttled", "tokens", "tokens_at", "version",
    )  # fmt: skip

    def __init__(self, key: str, now: int) -> None:
        self.key = key
        self.cap = 1
        self.rate: float | None = None
        self.tokens = 1.0
        self.tokens_at = now
        self.throttled = False
        """It waits for its rate limit."""
        self.slow = False
        self.version = 0
        self.queues = (Queue(self, EARLY), Queue(self, LATE))

    def let_go(self) -> None:
        """It is forgotten. It and its queues hold each other, and what does so is freed by the
        garbage collector only, which stops the process for it: at one lane a delivery for 20 to
        180 ms every few seconds."""
        for queue in self.queues:
            queue.lane = _GONE

    @property
    def in_flight(self) -> int:
        early, late = self.queues
        return early.in_flight + late.in_flight

    @property
    def waiting(self) -> int:
        early, late = self.queues
        return len(early.items) + len(late.items)

    def oldest(self) -> int | None:
        """Since when the oldest of what is in flight is; None when nothing is."""
        starts = [next(iter(queue.flying.values())) for queue in self.queues if queue.flying]
        return min(starts, default=None)

    def limit(self, rate: float | None, now: int) -> None:
        """Take over the rate limit of the newest item. The first starts with its burst; a changed
        one gives none anew, and what waited for the old one need not."""
        burst = max(1.0, (rate or 0.0) * _BURST)
        if self.rate is None:
            self.tokens, self.tokens_at = burst, now
        else:
            self._gain(now, self.rate)
            self.tokens = min(self.tokens, burst)
        self.rate, self.throttled = rate, False

    def take_token(self, now: int) -> int:
        """0 when one may start now, and it counts as started; else when one may."""
        if self.rate is None:
            return 0
        self._gain(now, self.rate)
        if self.tokens >= 1.0 - 1e-9:
            self.tokens -= 1.0
            return 0
        return now + int((1.0 - self.tokens) / self.rate * _SECOND) + 1

    def is_rested(self, now: int) -> bool:
        """Nothing waits or is in flight, and its rate limit may be used in full."""
        if self.waiting or self.in_flight or self.rate is None:
            return False
        self._gain(now, self.rate)
        return self.tokens >= max(1.0, self.rate * _BURST) - 1e-9

    def _gain(self, now: int, rate: float) -> None:
        gained = max(0, now - self.tokens_at) / _SECOND * rate
        self.tokens = min(max(1.0, rate * _BURST), self.tokens + gained)
        self.tokens_at = now


_GONE: Final[Lane[Any]] = Lane("", 0)
"""Of queues whose lane is forgotten: some may still stand in the turns."""

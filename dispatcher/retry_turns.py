"""When the retry topics are read: not with every fetch, for they have most of the partitions.

A client names each partition that it reads in each fetch, and the broker looks at each. What lies
on a retry topic is not due for a while, so to look now and then is soon enough. Synchronous; times
are seconds.
"""

from __future__ import annotations

LONGEST = 2.5
"""Seconds between two looks, at most."""
LOOK = 0.25
"""Seconds that a look takes at least: by then a fetch has gone out and come back."""


class RetryTurns:
    """`may_read` for a while now and then, and for as long as something comes."""

    def __init__(self, shortest_delay: float) -> None:
        """Of the schedule: what was written when a look had just ended must be read in the next,
        before it is due."""
        self._every = min(LONGEST, shortest_delay / 2)
        self._open_until = self._next = 0.0

    def may_read(self, now: float) -> bool:
        """Whether the retry topics are read now."""
        if now >= self._next:
            self._next = now + self._every
            self._open_until = max(self._open_until, now + LOOK)
        return now < self._open_until

    def came(self, now: float) -> None:
        """Something was read from them, so more may be there."""
        self._open_until = max(self._open_until, now + LOOK)

"""Which connections are kept for the next request. No I/O: methods return what is to be closed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

IDLE_LIMIT = 30.0
"""Seconds that a connection is kept without use; few servers keep theirs for longer."""
AGE_LIMIT = 300.0
"""Seconds after which a connection is not used again, so that a name's new addresses are found."""
KEPT = 10_000
KEPT_PER_ORIGIN = 256

Key = TypeVar("Key")
Kept = TypeVar("Kept")


class Pool(Generic[Key, Kept]):
    """Idle connections by origin. All times are seconds of the clock that was given.

    A connection is the pool's from `give` until `take`, `forget` or a list returned to be closed.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        idle_limit: float = IDLE_LIMIT,
        age_limit: float = AGE_LIMIT,
        kept: int = KEPT,
        kept_per_origin: int = KEPT_PER_ORIGIN,
    ) -> None:
        self._clock = clock
        self._idle_limit = idle_limit
        self._age_limit = age_limit
        self._kept = kept
        self._kept_per_origin = kept_per_origin
        self._by_origin: dict[Key, list[Kept]] = {}
        """Each list in the order of last use, and so is what follows, over all origins."""
        self._since: OrderedDict[Kept, tuple[Key, float]] = OrderedDict()
        """Whose it is and since when it is idle."""

    def __len__(self) -> int:
        return len(self._since)

    def take(self, origin: Key) -> Kept | None:
        """The one used most recently; None where a new one has to be made.

        Those that are idle too long stay for `expired`: they are below this one.
        """
        idle = self._by_origin.get(origin)
        if not idle:
            return None
        _, since = self._since[idle[-1]]
        if since + self._idle_limit <= self._clock():
            return None
        connection = idle.pop()
        del self._since[connection]
        if not idle:
            del self._by_origin[origin]
        return connection

    def give(self, origin: Key, connection: Kept, opened_at: float) -> list[Kept]:
        """Keep a connection. There are four cases:

        1. it is too old: it is returned itself
        2. its origin has enough: the one of that origin that is idle the longest is returned
        3. there are enough in all: the one that is idle the longest of all is returned
        4. there is room: nothing is returned
        """
        now = self._clock()
        if opened_at + self._age_limit <= now:
            return [connection]
        idle = self._by_origin.setdefault(origin, [])
        closed = []
        if len(idle) >= self._kept_per_origin:
            closed.append(idle.pop(0))
            del self._since[closed[0]]
        elif len(self._since) >= self._kept:
            if (oldest := self.oldest()) is not None:
                closed.append(oldest)
            idle = self._by_origin.setdefault(origin, [])  # it may have been this origin's only one
        idle.append(connection)
        self._since[connection] = (origin, now)
        return closed

    def oldest(self) -> Kept | None:
        """The one that is idle the longest of all, if there is one, to be closed."""
        for connection in self._since:
            self.forget(connection)
            return connection
        return None

    def forget(self, connection: Kept) -> None:
        """It ended by itself. Does nothing for one that is not kept."""
        if connection not in self._since:
            return
        origin, _ = self._since.pop(connection)
        idle = self._by_origin[origin]
        idle.remove(connection)
        if not idle:
            del self._by_origin[origin]

    def expired(self) -> list[Kept]:
        """Those that are idle for too long."""
        before = self._clock() - self._idle_limit
        closed: list[Kept] = []
        for connection, (_, since) in self._since.items():
            if since > before:
                break
            closed.append(connection)
        for connection in closed:
            self.forget(connection)
        return closed

    def clear(self) -> list[Kept]:
        """All of them."""
        closed = list(self._since)
        self._since.clear()
        self._by_origin.clear()
        return closed

"""Retries that were read before their time: kept in order of when they are due."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Delays(Generic[T]):
    """A queue by due time. `group` is what an item was read from; a group in which `cap` or more
    waits, by weight, is full, and nothing more should be read from it until some are due.

    Synchronous; times are microseconds since 1970.
    """

    def __init__(self, cap: int) -> None:
        self.cap = cap
        """May be changed while something waits."""
        self._heap: list[tuple[int, int, Hashable, int, T]] = []
        self._weights: Counter[Hashable] = Counter()
        self._sequence = 0
        self.full: frozenset[Hashable] = frozenset()
        """Replaced, never changed: another thread may look at it."""

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due_at: int, group: Hashable, item: T, weight: int = 1) -> None:
        """Keep an item until it is due; equal times keep their order."""
        self._sequence += 1
        heapq.heappush(self._heap, (due_at, self._sequence, group, weight, item))
        self._weights[group] += weight
        if self._weights[group] >= self.cap and group not in self.full:
            self.full |= {group}

    def next_due(self) -> int | None:
        """When the first is due."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: int, most: int = 2**31) -> list[T]:
        """Those that are due, the earliest first, as many as `most`."""
        taken: list[T] = []
        while self._heap and self._heap[0][0] <= now and len(taken) < most:
            _, _, group, weight, item = heapq.heappop(self._heap)
            taken.append(item)
            self._leave(group, weight)
        return taken

    def discard(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out, and return, all items of which `unwanted` is true."""
        discarded = [entry for entry in self._heap if unwanted(entry[4])]
        self._heap = [entry for entry in self._heap if not unwanted(entry[4])]
        heapq.heapify(self._heap)
        for _, _, group, weight, _ in discarded:
            self._leave(group, weight)
        return [entry[4] for entry in discarded]

    def _leave(self, group: Hashable, weight: int) -> None:
        self._weights[group] -= weight
        # Half empty before more is read: pausing and resuming is not free.
        if self._weights[group] <= self.cap // 2 and group in self.full:
            self.full -= {group}
        if not self._weights[group]:
            del self._weights[group]

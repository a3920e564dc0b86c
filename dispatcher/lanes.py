"""Whose turn it is: a lane for each action, so that one slow endpoint holds up only its own.

Synchronous and without I/O: the shell asks `next`, sends, and reports `ended`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Lane(Generic[T]):
    __slots__ = ("in_flight", "waiting")

    def __init__(self) -> None:
        self.in_flight = 0
        self.waiting: deque[T] = deque()


class Lanes(Generic[T]):
    """First come, first served within an action; actions take turns.

    A lane is in exactly one of three states: *ready* (something waits and its cap has room: it
    stands in the queue of turns), *full* (something waits, the cap is reached), or *idle* (nothing
    waits). One with nothing waiting and nothing in flight is forgotten.
    """

    def __init__(self, cap: int, cap_per_action: int) -> None:
        self._cap = cap
        self._cap_per_action = cap_per_action
        self._lanes: dict[str, _Lane[T]] = {}
        self._turns: deque[str] = deque()
        self.in_flight = 0
        self.waiting = 0

    def offer(self, key: str, item: T) -> None:
        """Let an item wait for its turn."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
        if not lane.waiting and lane.in_flight < self._cap_per_action:
            self._turns.append(key)
        lane.waiting.append(item)
        self.waiting += 1

    def next(self) -> T | None:
        """The item to start now, counted as in flight; None when nothing may start."""
        if self.in_flight >= self._cap or not self._turns:
            return None
        key = self._turns.popleft()
        lane = self._lanes[key]
        item = lane.waiting.popleft()
        lane.in_flight += 1
        self.in_flight += 1
        self.waiting -= 1
        if lane.waiting and lane.in_flight < self._cap_per_action:
            self._turns.append(key)
        return item

    def ended(self, key: str) -> None:
        """One of the action's items is no longer in flight."""
        lane = self._lanes[key]
        if lane.waiting and lane.in_flight == self._cap_per_action:
            self._turns.append(key)
        lane.in_flight -= 1
        self.in_flight -= 1
        if not lane.in_flight and not lane.waiting:
            del self._lanes[key]

    def discard(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out of the queues, and return, all waiting items of which `unwanted` is true."""
        discarded: list[T] = []
        for key, lane in list(self._lanes.items()):
            kept: deque[T] = deque()
            for item in lane.waiting:
                (discarded if unwanted(item) else kept).append(item)
            lane.waiting = kept
            if not kept and not lane.in_flight:
                del self._lanes[key]
        self.waiting -= len(discarded)
        self._turns = deque(
            key for key in self._turns if key in self._lanes and self._lanes[key].waiting
        )
        return discarded

"""Many deadlines and one timer: a wheel of coarse slots."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Protocol

WIDTH = 0.05
"""Seconds that a slot covers: how late a deadline may be noticed. It is never early."""
_ROUNDING = 0.001


class Overdue(Protocol):
    """Whatever has a deadline."""

    def overdue(self) -> None:
        """The deadline is over. Called once, and not after `discard`."""


class Wheel:
    """Which things are due in which slot. Without a clock: it is told the time, in seconds."""

    def __init__(self, width: float = WIDTH) -> None:
        self._width = width
        self._slots: dict[int, set[Overdue]] = {}

    def __bool__(self) -> bool:
        return bool(self._slots)

    def add(self, due: float, thing: Overdue) -> int:
        """The slot that it is in: what `discard` wants."""
        number = math.ceil(due / self._width)
        slot = self._slots.get(number)
        if slot is None:
            self._slots[number] = {thing}
        else:
            slot.add(thing)
        return number

    def discard(self, number: int, thing: Overdue) -> None:
        """It is no longer waited for."""
        slot = self._slots.get(number)
        if slot is not None:
            slot.discard(thing)

    def take(self, now: float) -> list[Overdue]:
        """All that are overdue, with the earliest slot first."""
        past = sorted(number for number in self._slots if number * self._width <= now)
        return [thing for number in past for thing in self._slots.pop(number)]

    def clear(self) -> list[Overdue]:
        """All that are in it; none is any more."""
        things = [thing for slot in self._slots.values() for thing in slot]
        self._slots.clear()
        return things


class Deadlines:
    """The wheel on an event loop: one timer however many wait, none when nothing does."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float], width: float = WIDTH
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._width = width
        self._wheel = Wheel(width)
        self._timer: asyncio.TimerHandle | None = None
        self.discard = self._wheel.discard

    def add(self, due: float, thing: Overdue) -> int:
        """See `Wheel.add`; `due` is of the clock that was given."""
        number = self._wheel.add(due, thing)
        self._set_timer()
        return number

    def _set_timer(self) -> None:
        """For the end of the present slot, and a little: loops round to milliseconds, and going off
        just before it would make all of the slot wait for another."""
        if self._timer is not None:
            return
        left = self._width - self._clock() % self._width
        self._timer = self._loop.call_later(left + _ROUNDING, self._tick)

    def _tick(self) -> None:
        self._timer = None
        for thing in self._wheel.take(self._clock()):
            thing.overdue()
        if self._wheel:
            self._set_timer()

    def close(self) -> list[Overdue]:
        """Stop. Returns what still waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._wheel.clear()

"""An account's telephone numbers and their entries, in two blocks of memory without objects.

A dict would keep an object for each number and one for its entry, 126 bytes where this takes 50,
and a look-up among millions would wait for memory four times, not twice.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from router.entries import Entry

MAX_SIZE = (1 << 24) - 1
"""Bytes of an entry. A record of Kafka's is a megabyte, unless its settings say otherwise."""
_HASHES: Final = 31
"""Bits of a hash."""
_GOLDEN: Final = 1327217885
"""2**31 divided by the golden ratio: such multiples of neighbours lie far apart (Knuth, 6.4)."""


@final
class Numbers:
    """A hash table with open addressing.

    A slot is two integers: a number's digits and one more (0: free), and what it says, either
    `index << 1 | 1` or `start << 25 | size << 1` of bytes in `_own`. Who is not in the slot that
    the hash says is in the next that was free.
    """

    __slots__ = ("_capacity", "_count", "_own", "_slots", "_wasted")

    def __init__(self) -> None:
        self._count: i64 = 0
        self._capacity: i64 = 0
        self._slots = vec[i64]()
        self._own = bytearray()
        self._wasted: i64 = 0
        """Bytes of `_own` that no slot refers to any longer."""

    def __len__(self) -> int:
        return int(self._count)

    def get(self, e164: str) -> Entry | None:
        """What was put for the number. Raises ValueError for what is none."""
        at = self._find(_digits(e164) + 1)
        if at < 0:
            return None
        said: i64 = self._slots[2 * at + 1]
        if said & 1:
            return int(said >> 1)
        start: i64 = said >> 25
        return bytes(self._own[start : start + (said >> 1 & MAX_SIZE)])

    def put(self, e164: str, entry: Entry) -> None:
        """In place of what was there. Raises ValueError for what is no number, or too long."""
        key = _digits(e164) + 1
        if isinstance(entry, bytes) and len(entry) > MAX_SIZE:
            raise ValueError(f"its record has more than {MAX_SIZE:,} bytes")
        at = self._find(key)
        if at < 0:
            if 4 * self._count >= 3 * self._capacity:
                self._resize()
            at = self._free(key)
            self._slots[2 * at] = key
            self._count += 1
        else:
            self._waste(at)
        if isinstance(entry, bytes):
            self._slots[2 * at + 1] = len(self._own) << 25 | len(entry) << 1
            self._own += entry
        else:
            index: i64 = entry
            self._slots[2 * at + 1] = index << 1 | 1
        self._tidy()

    def remove(self, e164: str) -> None:
        """If it is there. Raises ValueError for what is no number."""
        at = self._find(_digits(e164) + 1)
        if at < 0:
            return
        self._waste(at)
        self._count -= 1
        slots = self._slots
        # Whoever would have been here or before, had it been free, moves up.
        hole = at
        while True:
            at = self._next(at)
            key: i64 = slots[2 * at]
            if key == 0:
                break
            if self._beyond(self._home(key), at) >= self._beyond(hole, at):
                slots[2 * hole] = key
                slots[2 * hole + 1] = slots[2 * at + 1]
                hole = at
        slots[2 * hole] = 0
        self._tidy()

    def _home(self, key: i64) -> i64:
        """The slot that the hash says."""
        hashed: i64 = ((key ^ key >> _HASHES) & (1 << _HASHES) - 1) * _GOLDEN
        return (hashed & (1 << _HASHES) - 1) * self._capacity >> _HASHES

    def _next(self, at: i64) -> i64:
        return 0 if at + 1 == self._capacity else at + 1

    def _beyond(self, start: i64, at: i64) -> i64:
        """How many slots on `at` is."""
        return at - start if at >= start else at - start + self._capacity

    def _find(self, key: i64) -> i64:
        """The number's slot; -1 when there is none."""
        if self._capacity == 0:
            return -1
        slots = self._slots
        at = self._home(key)
        while True:
            found: i64 = slots[2 * at]
            if found == key:
                return at
            if found == 0:
                return -1
            at = self._next(at)

    def _free(self, key: i64) -> i64:
        """The slot for a number that has none."""
        slots = self._slots
        at = self._home(key)
        while slots[2 * at] != 0:
            at = self._next(at)
        return at

    def _waste(self, at: i64) -> None:
        """What the slot says is no longer so."""
        said: i64 = self._slots[2 * at + 1]
        if not said & 1:
            self._wasted += said >> 1 & MAX_SIZE

    def _tidy(self) -> None:
        """Gives memory back when most of it lies idle."""
        if 8 * self._count < self._capacity - 32:
            self._resize()
        if 2 * self._wasted > len(self._own):
            self._compact()

    def _resize(self) -> None:
        """Twice as many slots as are taken, whose order stays: millions are moved in no time."""
        slots, size = self._slots, self._capacity
        self._capacity = 2 * self._count + 4
        self._slots = vec[i64]([0] * (2 * int(self._capacity)))
        at: i64 = 0
        while at < size:
            key: i64 = slots[2 * at]
            if key != 0:
                free = self._free(key)
                self._slots[2 * free] = key
                self._slots[2 * free + 1] = slots[2 * at + 1]
            at += 1

    def _compact(self) -> None:
        """`_own` anew, without what is wasted."""
        slots, own = self._slots, bytearray()
        at: i64 = 1
        while at < 2 * self._capacity:
            said: i64 = slots[at]
            if slots[at - 1] != 0 and not said & 1:
                start: i64 = said >> 25
                size: i64 = said >> 1 & MAX_SIZE
                slots[at] = len(own) << 25 | size << 1
                own += self._own[start : start + size]
            at += 2
        self._own = own
        self._wasted = 0


def _digits(e164: str) -> i64:
    """The number as an integer. Raises ValueError for what is none."""
    data = e164.encode()
    size: i64 = len(data)
    start: i64 = 1 if e164.startswith("+") else 0
    found: i64 = 0
    at: i64 = start
    while at < size and 0x30 <= data[at] <= 0x39 and at < start + 16:
        found = 10 * found + data[at] - 0x30
        at += 1
    if at < size or not 0 < at - start <= 15:
        raise ValueError(f"{e164[:40]!r} is no telephone number in E.164")
    return found

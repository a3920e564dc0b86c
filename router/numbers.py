"""An account's telephone numbers and their entries, in two blocks of memory without objects.

A dict would keep an object for each number and one for its entry, 126 bytes where this takes 50,
and a look-up among millions would wait for memory four times, not twice. Many look-ups together
wait at the same time.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import append, extend, vec
from mypy_extensions import i64, u8

from router.entries import Entry

MAX_SIZE = (1 << 24) - 1
"""Bytes of an entry. A record of Kafka's is a megabyte, unless its settings say otherwise."""
_HASHES: Final = 31
"""Bits of a hash."""
_GOLDEN: Final = 1327217885
"""2**31 divided by the golden ratio: such multiples of neighbours lie far apart (Knuth, 6.4)."""
_NOTHING: Final = -1
"""What is said of a number that is not there."""


@final
class Numbers:
    """A hash table with open addressing.

    A slot is two integers: a number's key, its digits and one more (0: free), and what it says,
    either `index << 1 | 1` or `start << 25 | size << 1` of bytes in `_own`. Who is not in the slot
    that the hash says is in the next that was free.

    `_slots[place]` and `_own[place]`, with the name of a place, are read without a reference to
    the block, whose count lies at its head: memory of its own to wait for.
    """

    __slots__ = ("_ahead", "_capacity", "_count", "_own", "_room", "_slots", "_wasted")

    def __init__(self) -> None:
        self._count: i64 = 0
        self._capacity: i64 = 0
        self._slots = vec[i64]()
        self._own = vec[u8]()
        self._room: i64 = 0
        """Bytes that `_own` can have before it is moved to a larger block."""
        self._wasted: i64 = 0
        """Bytes of `_own` that no slot refers to any longer."""
        self._ahead: i64 = 0
        """What was last read ahead, kept so that no compiler leaves the reading out."""

    def __len__(self) -> int:
        return int(self._count)

    def get(self, e164: str) -> Entry | None:
        """What was put for the number."""
        return look_up([self], [e164])[0]

    def put(self, e164: str, entry: Entry) -> None:
        """In place of what was there. Raises ValueError for what is no number, or too long."""
        key = _checked(e164)
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
            size: i64 = len(entry)
            self._slots[2 * at + 1] = self._keep(entry) << 25 | size << 1
        else:
            index: i64 = entry
            self._slots[2 * at + 1] = index << 1 | 1
        self._tidy()

    def remove(self, e164: str) -> None:
        """If it is there. Raises ValueError for what is no number."""
        at = self._find(_checked(e164))
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
        at = self._home(key)
        while True:
            place: i64 = 2 * at
            found: i64 = self._slots[place]
            if found == key:
                return at
            if found == 0:
                return -1
            at = self._next(at)

    def _read_slot(self, key: i64) -> None:
        """Ahead: the one where the search for the key begins."""
        if self._capacity > 0:
            place: i64 = 2 * self._home(key)
            self._ahead = self._slots[place]

    def _said(self, key: i64) -> i64:
        """What stands in the number's slot, or `_NOTHING`."""
        if key == 0:
            return _NOTHING
        at = self._find(key)
        if at < 0:
            return _NOTHING
        place: i64 = 2 * at + 1
        return self._slots[place]

    def _read_own(self, said: i64) -> None:
        """Ahead: the bytes that are meant, if any."""
        start: i64 = said >> 25
        if not said & 1 and start < len(self._own):  # behind its end stands what has no bytes
            self._ahead = i64(self._own[start])

    def _entry(self, said: i64) -> Entry | None:
        if said == _NOTHING:
            return None
        if said & 1:
            return int(said >> 1)
        start: i64 = said >> 25
        return bytes(self._own[start : start + (said >> 1 & MAX_SIZE)])

    def _free(self, key: i64) -> i64:
        """The slot for a number that has none."""
        slots = self._slots
        at = self._home(key)
        while slots[2 * at] != 0:
            at = self._next(at)
        return at

    def _keep(self, entry: bytes) -> i64:
        """Where its bytes are in `_own` from now on."""
        start: i64 = len(self._own)
        size: i64 = len(entry)
        if start + size > self._room:
            # By an eighth: `extend` would double it, and there are thousands.
            self._room = start + size + start // 8
            self._own = extend(vec[u8](capacity=self._room), self._own)
        self._own = extend(self._own, entry)
        return start

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
        slots, own = self._slots, self._own
        self._room = len(own) - self._wasted
        self._wasted = 0
        self._own = vec[u8](capacity=self._room)
        at: i64 = 1
        while at < 2 * self._capacity:
            said: i64 = slots[at]
            if slots[at - 1] != 0 and not said & 1:
                start: i64 = said >> 25
                size: i64 = said >> 1 & MAX_SIZE
                slots[at] = self._keep(bytes(own[start : start + size])) << 25 | size << 1
            at += 2


def look_up(tables: list[Numbers], numbers: list[str]) -> list[Entry | None]:
    """`get` for each number from the table in its place.

    Among millions a `get` waits for memory, for the slot and for what the number says, and nothing
    else is done meanwhile. Here memory is asked for everything first.
    """
    at: i64
    count: i64 = len(tables)
    keys, said = vec[i64](), vec[i64]()
    for e164 in numbers:
        keys = append(keys, _key(e164))
    for at in range(count):
        tables[at]._read_slot(keys[at])
    for at in range(count):
        said = append(said, tables[at]._said(keys[at]))
    for at in range(count):
        tables[at]._read_own(said[at])
    found: list[Entry | None] = []
    for at in range(count):
        found.append(tables[at]._entry(said[at]))  # noqa: PERF401
    return found


def _key(e164: str) -> i64:
    """The number as an integer, and one more; 0 for what is none."""
    size: i64 = len(e164)
    start: i64 = 1 if e164.startswith("+") else 0
    found: i64 = 0
    at: i64 = start
    while at < size and at < start + 16:
        digit: i64 = ord(e164[at]) - 0x30
        if not 0 <= digit <= 9:
            break
        found = 10 * found + digit
        at += 1
    if at < size or not 0 < at - start <= 15:
        return 0
    return found + 1


def _checked(e164: str) -> i64:
    """Its key. Raises ValueError for what is no number."""
    key = _key(e164)
    if key == 0:
        raise ValueError(f"{e164[:40]!r} is no telephone number in E.164")
    return key

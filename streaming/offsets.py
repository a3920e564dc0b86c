"""Which offsets of a partition are done, when they are done out of order.

Committed is the lowest offset that is not done; the commit's metadata says which above it are, so
that a successor repeats only what was really unfinished. Everything here is synchronous and owned
by the consumer's thread.
"""

from __future__ import annotations

import base64
import binascii

MAX_METADATA = 4095
"""Characters that Kafka keeps with a committed offset (`offset.metadata.max.bytes` less one)."""
_VERSION = "h1"
_NO_OFFSET = -1

Run = tuple[int, int]
"""Offsets from the first up to, not including, the second."""


class OffsetTracker:
    """One partition within one assignment.

    A partition that comes back gets a new tracker, so what belongs to an earlier assignment has
    nowhere to go: late completions reach an object that nobody commits.
    """

    __slots__ = (
        "_base", "_carried", "_committed", "_ends", "_next", "_starts",
        "gone", "in_hand", "partition", "revoked", "topic",
    )  # fmt: skip

    def __init__(self, topic: str, partition: int, committed: int = -1, metadata: str = "") -> None:
        self.topic = topic
        self.partition = partition
        self.revoked = False
        """Set when the partition is taken away: what has not started should not start."""
        self.gone = False
        """Set when somebody else may own the partition: what is written of its records from now on
        is written twice, so only what cannot be undone should be."""
        self.in_hand = 0
        """Records read and neither completed nor abandoned."""
        known = committed >= 0
        self._base = committed if known else _NO_OFFSET
        self._next = self._base
        self._committed: tuple[int, str] = (self._base, metadata)
        # Completed runs above the base: first → end, and end → first. Neighbours are merged.
        self._ends: dict[int, int] = {}
        self._starts: dict[int, int] = {}
        self._carried: list[Run] = []
        if known:
            self._carried = decode_holes(metadata, committed)
            for first, end in self._carried:
                self._ends[first] = end
                self._starts[end] = first
            self._carried.reverse()  # the earliest last, so that it can be popped

    def read(self, offset: int) -> bool:
        """Note that the record was read; False when an earlier owner has completed it.

        Offsets come in ascending order. Those skipped (compacted away, or transaction markers)
        never come, so they are done.
        """
        if self._next == _NO_OFFSET or offset < self._next:
            self._rewind(offset)
        while self._carried and self._carried[-1][1] <= offset:
            self._fill(*self._carried.pop())
        if offset > self._next:
            self._fill_gap(self._next, offset)
        self._next = offset + 1
        if self._carried and self._carried[-1][0] <= offset:
            return False
        self.in_hand += 1
        return True

    def _rewind(self, offset: int) -> None:
        """The first read of all, or the topic was re-created: nothing known holds any more."""
        self._base = self._next = offset
        self._ends.clear()
        self._starts.clear()
        self._carried.clear()

    def _fill(self, first: int, end: int) -> None:
        """A carried run has been passed; what was skipped in front of it is done too."""
        if first > self._next:
            self._fill_gap(self._next, first)
        self._next = max(self._next, end)

    def _fill_gap(self, first: int, end: int) -> None:
        """Offsets that do not exist; a carried run may already cover the start of them."""
        if self._carried and self._carried[-1][0] < end:
            run_first, run_end = self._carried[-1]
            if first < run_first:
                self._merge(first, run_first)
            first = max(first, run_end)
        if first < end:
            self._merge(first, end)

    def complete(self, first: int, end: int) -> None:
        """The records from `first` up to `end` (exclusive), all read before, are done."""
        self.in_hand -= end - first
        self._merge(first, end)

    def abandon(self, count: int) -> None:
        """So many records will not be done here: the next owner reads them again."""
        self.in_hand -= count

    def _merge(self, first: int, end: int) -> None:
        first = self._starts.pop(first, first)
        self._ends.pop(first, None)
        behind = self._ends.pop(end, None)
        if behind is not None:
            del self._starts[behind]
            end = behind
        if first <= self._base:
            self._base = end
        else:
            self._ends[first] = end
            self._starts[end] = first

    def commit(self) -> tuple[int, str] | None:
        """What to commit: offset and metadata. None when that is what was committed last."""
        if self._base == _NO_OFFSET:
            return None
        # A run that starts at the base (carried over from an earlier owner) is joined to it.
        while (end := self._ends.pop(self._base, None)) is not None:
            del self._starts[end]
            self._base = end
        now = (self._base, encode_holes(self._base, sorted(self._ends.items())))
        if now == self._committed:
            return None
        self._committed = now
        return now

    def forget_commit(self) -> None:
        """The last commit did not reach the broker: make the next one whatever it is."""
        self._committed = (_NO_OFFSET, "")


Records = tuple[OffsetTracker, int, int]
"""Neighbours in a partition: its tracker, the first offset, the end (exclusive)."""


def encode_holes(base: int, runs: list[Run]) -> str:
    """Completed runs above `base` as commit metadata, at most `MAX_METADATA` characters.

    The lengths of gap, run, gap, run, … from the base up, as base-128 integers in base64. Runs
    that do not fit are left out from the far end: they may be done again, nothing is lost.
    """
    if not runs:
        return ""
    prefix = f"{_VERSION}:{base}:"
    room = (MAX_METADATA - len(prefix)) * 3 // 4
    out = bytearray()
    position = base
    for first, end in runs:
        pair = _varint(first - position) + _varint(end - first)
        if len(out) + len(pair) > room:
            break
        out += pair
        position = end
    return prefix + base64.urlsafe_b64encode(out).decode().rstrip("=")


def decode_holes(metadata: str, committed: int) -> list[Run]:
    """The completed runs that the metadata tells of, ascending.

    Nothing when it is not ours, of another version, or was written for another offset: the offset
    is always believed over its metadata.
    """
    version, _, rest = metadata.partition(":")
    base, _, text = rest.partition(":")
    if version != _VERSION or base != str(committed):
        return []
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        lengths = _varints(data)
    except (binascii.Error, ValueError):
        return []
    if len(lengths) % 2 or 0 in lengths:
        return []
    runs = []
    position = committed
    for gap, length in zip(lengths[::2], lengths[1::2], strict=True):
        first = position + gap
        position = first + length
        runs.append((first, position))
    return runs


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varints(data: bytes) -> list[int]:
    """Raises ValueError when the last one is cut off or one is absurdly long."""
    values = []
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte & 0x80:
            if shift > 63:
                raise ValueError("longer than an offset")
            continue
        values.append(value)
        value = shift = 0
    if shift:
        raise ValueError("cut off")
    return values

"""Where the fields of a record lie in its bytes, so that few are ever made into objects."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from schemas.binary import Reader
from schemas.layouts import BOOLEAN, BYTES, ENUM, LONG, RECORD, STRING, Layout

NOTHING: Final = -1
"""The start of a field that is null, or within a record that is."""


@final
class Place:
    """A field of a layout, and the number under which `Spans` keeps it."""

    def __init__(self, layout: Layout, number: int, inner: list[Place]) -> None:
        """`inner`: the fields, where it is a record; without them it is passed over."""
        self.layout = layout
        self.kind: i64 = layout.kind
        self.optional = layout.optional
        self.number: i64 = number
        self.inner = inner


@final
class Places:
    """The fields of a record's layout, numbered in their order; those of some records in it too."""

    def __init__(self, layout: Layout, opened: set[str]) -> None:
        """`opened`: names of records in it whose own fields are wanted."""
        self.numbers: dict[str, int] = {}
        """By name: `sid`, `lookup.city`."""
        self.fields: list[Place] = []
        for field in layout.inner:
            place = self._place(field, field.name)
            if field.name in opened:
                place.inner = [self._place(one, f"{field.name}.{one.name}") for one in field.inner]
            self.fields.append(place)

    def _place(self, layout: Layout, path: str) -> Place:
        number = self.numbers[path] = len(self.numbers)
        return Place(layout, number, [])


@final
class Spans:
    """Of one record at a time: `walk` it, then ask. Not for several threads at once."""

    def __init__(self, places: Places) -> None:
        self._fields = places.fields
        self._starts: vec[i64] = vec[i64]([NOTHING] * len(places.numbers))
        self._ends: vec[i64] = vec[i64]([NOTHING] * len(places.numbers))
        self.data = b""

    def walk(self, data: bytes, start: i64, last: i64) -> i64:
        """Find the fields of the record that begins at `start`, up to the one with the number
        `last`, and return where that ends. What is behind it stands as in the record before.

        Raises ValueError, or IndexError where the bytes end.
        """
        self.data = data
        reader = Reader(data, start)
        for field in self._fields:
            if field.number > last:
                break
            self._field(reader, field)
        return reader.at

    def _field(self, reader: Reader, field: Place) -> None:
        number = field.number
        if field.optional and not reader.is_there():
            self._starts[number] = NOTHING
            for one in field.inner:
                self._starts[one.number] = NOTHING
            return
        kind = field.kind
        if kind == STRING or kind == BYTES:  # noqa: PLR1714, SIM109 - `in` would make a tuple of it
            end = reader.beyond(reader.number())
            self._starts[number] = reader.at
            self._ends[number] = end
            reader.at = end
        elif kind == LONG or kind == ENUM or kind == BOOLEAN:  # noqa: PLR1714, SIM109 - as above
            self._starts[number] = 0
            self._ends[number] = int(reader.flag()) if kind == BOOLEAN else reader.number()
        else:
            self._starts[number] = reader.at
            if kind == RECORD and field.inner:
                for one in field.inner:
                    self._field(reader, one)
            else:
                reader.skip_value(field.layout)
            self._ends[number] = reader.at

    def is_there(self, number: i64) -> bool:
        """Whether a field is not null."""
        return self._starts[number] >= 0

    def size(self, number: i64) -> i64:
        """Bytes of a text; 0 where it is null."""
        return self._ends[number] - self._starts[number] if self._starts[number] >= 0 else 0

    def piece(self, number: i64) -> bytes:
        """The bytes of a text, which need not be one. Empty where it is null."""
        start = self._starts[number]
        return self.data[start : self._ends[number]] if start >= 0 else b""

    def whole(self, number: i64) -> i64:
        """A whole number, a flag or a symbol's number, of a field that is not null."""
        return self._ends[number]

"""Where the fields of a record lie in its bytes, so that few are ever made into objects."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from schemas.binary import Reader
from schemas.layouts import BOOLEAN, BYTES, ENUM, LONG, STRING, Layout

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
        self.kinds: dict[str, int] = {}
        """Likewise: `STRING` and the like, whether or not a field may be null."""
        self.fields: list[Place] = []
        for field in layout.inner:
            place = self._place(field, field.name)
            if field.name in opened:
                place.inner = [self._place(one, f"{field.name}.{one.name}") for one in field.inner]
            self.fields.append(place)

    def _place(self, layout: Layout, path: str) -> Place:
        number = self.numbers[path] = len(self.numbers)
        self.kinds[path] = int(layout.kind)
        return Place(layout, number, [])


@final
class Spans:
    """Of one record at a time: `walk` it, then ask. Not for several threads at once."""

    def __init__(self, places: Places) -> None:
        self._places = places.fields
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
        self._fields(reader, self._places, last)
        return reader.at

    def _fields(self, reader: Reader, places: list[Place], last: i64) -> None:
        """What most fields are, and most lengths, is looked at here, as in `Reader.skip_fields`."""
        data, starts, ends = reader.data, self._starts, self._ends
        at: i64 = reader.at
        for place in places:
            number = place.number
            if number > last:
                break
            if place.optional:
                branch: i64 = data[at]
                at += 1
                if branch == 0:
                    starts[number] = NOTHING
                    for one in place.inner:
                        starts[one.number] = NOTHING
                    continue
                if branch != 2:
                    raise ValueError("there is no such branch")
            kind = place.kind
            byte: i64 = data[at] if kind == STRING or kind == LONG else 255  # noqa: PLR1714, SIM109
            if byte > 127:  # another kind, or a number of several bytes
                reader.at = at
                self._field(reader, place)
                at = reader.at
            elif kind == LONG:
                at += 1
                starts[number] = 0
                ends[number] = (byte >> 1) ^ -(byte & 1)
            else:
                at += 1
                starts[number] = at
                at += byte >> 1
                if byte & 1 or at > reader.end:
                    raise ValueError("its length goes beyond the end")
                ends[number] = at
        reader.at = at

    def _field(self, reader: Reader, place: Place) -> None:
        """Any that is not null."""
        number, kind = place.number, place.kind
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
            if place.inner:
                self._fields(reader, place.inner, place.inner[-1].number)
            else:
                reader.skip_value(place.layout)
            self._ends[number] = reader.at

    def is_there(self, number: i64) -> bool:
        """Whether a field is not null."""
        return self._starts[number] >= 0

    def start(self, number: i64) -> i64:
        """Of a text in `data`; `NOTHING` where it is null."""
        return self._starts[number]

    def end(self, number: i64) -> i64:
        """Of a text that is not null."""
        return self._ends[number]

    def piece(self, number: i64) -> bytes:
        """The bytes of a text, which need not be one. Empty where it is null."""
        start = self._starts[number]
        return self.data[start : self._ends[number]] if start >= 0 else b""

    def whole(self, number: i64) -> i64:
        """A whole number, a flag or a symbol's number, of a field that is not null."""
        return self._ends[number]

"""A record's schema as a tree of typed nodes, worked out once, for `schemas.binary`.

It knows what our schemas hold: no recursion, `fixed`, `float` or `int`; and in a union null and one
other type, in that order.
"""

from __future__ import annotations

from typing import Any, Final, final

from mypy_extensions import i64

BOOLEAN: Final = 0
LONG: Final = 1
DOUBLE: Final = 2
STRING: Final = 3
BYTES: Final = 4
ENUM: Final = 5
RECORD: Final = 6
ARRAY: Final = 7
MAP: Final = 8

OR_NULL: Final = 16
"""Added to a kind in a `Layout.shape`."""

_KINDS: Final = {
    "boolean": BOOLEAN, "long": LONG, "double": DOUBLE, "string": STRING, "bytes": BYTES,
    "enum": ENUM, "record": RECORD, "array": ARRAY, "map": MAP,
}  # fmt: skip
NO_DEFAULT: Final = object()


@final
class Layout:
    """A type in a schema: of a whole record, or of one field in it."""

    def __init__(self, name: str, kind: int, optional: bool, inner: list[Layout],
                 symbols: list[str], default: object) -> None:  # fmt: skip
        """`inner`: the fields of a record, the item of an array, the value of a map."""
        self.name = name
        """Of the field, or of the record."""
        self.kind: i64 = kind
        self.optional = optional
        """A union with null."""
        self.inner = inner
        self.symbols = symbols
        self.default = default
        self.skipped = False
        """It is passed over when read, and missing from the record."""
        self.shape = bytes(int(one.kind) + one.optional * OR_NULL for one in inner)
        """The kinds of `inner`, with `OR_NULL` where they are optional: a byte each."""

    def part(self, first: str = "", last: str = "") -> Layout:
        """A record's layout cut down to the fields from `first` to `last`, by default all there
        are: Avro is plain concatenation, so parts of a record are read and written alone."""
        names = [field.name for field in self.inner]
        start = names.index(first) if first else 0
        end = names.index(last) + 1 if last else len(names)
        kept = self.inner[start:end]
        return Layout(self.name, int(self.kind), False, kept, [], NO_DEFAULT)

    def only(self, names: set[str]) -> Layout:
        """A record's layout that passes all other fields over."""
        kept: list[Layout] = []
        for field in self.inner:
            copy = field
            if field.name not in names:
                copy = Layout(field.name, int(field.kind), field.optional, field.inner,
                              field.symbols, field.default)  # fmt: skip
                copy.skipped = True
            kept.append(copy)
        return Layout(self.name, int(self.kind), False, kept, [], NO_DEFAULT)


def layout(definition: dict[str, Any]) -> Layout:
    """Of a record's schema, every name written out where it comes first.

    Raises ValueError for what this module does not know.
    """
    return _layout(definition["name"], definition, NO_DEFAULT, {})


def _layout(name: str, type_: Any, default: object, known: dict[str, Any]) -> Layout:
    optional = isinstance(type_, list)
    if optional:
        if len(type_) != 2 or type_[0] != "null":
            raise ValueError(f"{name}: of unions only those of null and one other type are known")
        type_ = type_[1]
    if isinstance(type_, str):
        type_ = known.get(type_.rpartition(".")[2]) or {"type": type_}
    if "name" in type_:
        known[type_["name"]] = type_
    kind = _KINDS.get(type_["type"])
    if kind is None:
        raise ValueError(f"{name}: the type {type_['type']!r} is not known")
    inner: list[Layout] = []
    symbols: list[str] = []
    if kind == RECORD:
        for field in type_["fields"]:
            missing = field.get("default", NO_DEFAULT)
            inner.append(_layout(field["name"], field["type"], missing, known))
    elif kind in (ARRAY, MAP):
        within = type_["items"] if kind == ARRAY else type_["values"]
        inner.append(_layout(name, within, NO_DEFAULT, known))
    elif kind == ENUM:
        symbols += type_["symbols"]
    elif kind == BYTES and isinstance(default, str):
        default = default.encode("latin-1")  # how Avro writes a default of bytes
    return Layout(name, kind, optional, inner, symbols, default)

"""Where the values of placeholders come from. Each is a function of a Dispatch record, and tells
which fields it reads, so that they can be found in the record's bytes too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.formats import minutes, total
from schemas.numbers import shown
from schemas.released import Record

Value = Callable[[Record], str]
Written = Callable[[Any], str]
"""A field's value as it is sent; see `schemas.formats`."""


class OfCall:
    """A field of the call."""

    def __init__(self, field: str, written: Written | None = None) -> None:
        """`written` is None for a text that goes out as it came."""
        self.field = field
        self.written = written

    def __call__(self, d: Record) -> str:
        value = d["call"][self.field]
        return value if self.written is None else self.written(value)


class OfBlock:
    """A field of a record within the call, which few calls have."""

    def __init__(self, block: str, field: str, written: Written | None = None) -> None:
        self.block = block
        self.field = field
        self.written = written

    def __call__(self, d: Record) -> str:
        block = d["call"][self.block]
        if not block:
            return ""
        value = block[self.field]
        return value if self.written is None else self.written(value)


class LookedUp(OfBlock):
    """What Reverse Lookup found, where the account has it. D50."""

    def __init__(self, field: str) -> None:
        super().__init__("lookup", field)

    def __call__(self, d: Record) -> str:
        return super().__call__(d) if d["reverse_lookup_enabled"] else ""


class Telephone:
    """A telephone number: as it came, and as E.164. D41."""

    def __init__(self, raw: str, e164: str) -> None:
        self.raw = raw
        self.e164 = e164

    def __call__(self, d: Record) -> str:
        call = d["call"]
        return shown(call[self.raw], call[self.e164])


class Duration:
    """Talk and intelligent time, rounded up once. D44."""

    def __call__(self, d: Record) -> str:
        call = d["call"]
        return minutes(total(call["talk_seconds"], call["intelligent_seconds"]))


class Label:
    """The number's label, else the call's own. D56."""

    def __call__(self, d: Record) -> str:
        label: str = d["phone_label"] or d["call"]["phone_label"]
        return label

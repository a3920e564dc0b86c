"""The form of `dispatcher.form`, filled in straight from the bytes of a call: hardly a value of it
becomes a text on its way. A test holds it to the other, which knows every parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from librt.strings import BytesWriter
from mypy_extensions import i64

from dispatcher.form import encoded, escape
from dispatcher.parameters import Parameter
from dispatcher.utf8 import utf8
from schemas.dispatch import Heading
from schemas.formats import minutes, total
from schemas.layouts import LONG, STRING, Layout
from schemas.numbers import shown
from schemas.released import current
from schemas.sources import Duration, Label, LookedUp, OfBlock, OfCall, Telephone, Written
from schemas.spans import Places, Spans

_CALL: Final = current("CallCompleted").layout
_PLACES: Final = Places(_CALL, {"lookup", "distributor"})
_SPANS: Final = Spans(_PLACES)
"""Of the call that is being filled in: the event loop does one after the other."""


class Pair:
    """A parameter and where its value lies."""

    def __init__(self, parameter: Parameter, last: i64) -> None:
        """`last`: the number of the last field that it needs."""
        self.name = b"&%b=" % encoded(parameter.name)
        self.omit_empty = parameter.omit_empty
        self.last = last

    def write(self, out: BytesWriter, call: Spans, heading: Heading) -> None:
        """Append it: `&from=3125550123`. Raises ValueError for a text that is none."""
        self.piece(out, self.value(call, heading))

    def value(self, call: Spans, heading: Heading) -> bytes:
        """UTF-8."""
        raise NotImplementedError

    def piece(self, out: BytesWriter, value: bytes) -> None:
        if value or not self.omit_empty:
            out.write(self.name)
            escape(out, value)


class _Text(Pair):
    """A text that goes out as it came."""

    def __init__(self, parameter: Parameter, number: i64) -> None:
        super().__init__(parameter, number)
        self.number = number

    def value(self, call: Spans, heading: Heading) -> bytes:
        return _checked(call.piece(self.number))


class _LookedUp(_Text):
    def value(self, call: Spans, heading: Heading) -> bytes:
        return super().value(call, heading) if heading.reverse_lookup_enabled else b""


class _Whole(Pair):
    """A whole number, written by one of `schemas.formats`; empty where its block is null."""

    def __init__(self, parameter: Parameter, number: i64, written: Written) -> None:
        super().__init__(parameter, number)
        self.number = number
        self.written = written

    def value(self, call: Spans, heading: Heading) -> bytes:
        if not call.is_there(self.number):
            return b""
        text: str = self.written(int(call.whole(self.number)))
        return text.encode()


class _Word(_Text):
    """A text that one of `schemas.formats` changes."""

    def __init__(self, parameter: Parameter, number: i64, written: Written) -> None:
        super().__init__(parameter, number)
        self.written = written

    def value(self, call: Spans, heading: Heading) -> bytes:
        text: str = self.written(call.piece(self.number).decode())
        return utf8(text)


class _Telephone(Pair):
    def __init__(self, parameter: Parameter, raw: i64, e164: i64) -> None:
        super().__init__(parameter, max(raw, e164))
        self.raw = raw
        self.e164 = e164

    def value(self, call: Spans, heading: Heading) -> bytes:
        e164 = call.piece(self.e164)
        if len(e164) == 12 and e164.startswith(b"+1"):
            digits = e164[2:]
            if digits.isdigit():
                return digits
        return utf8(shown(call.piece(self.raw).decode(), e164.decode()))


class _Duration(Pair):
    def __init__(self, parameter: Parameter, talk: i64, intelligent: i64) -> None:
        super().__init__(parameter, max(talk, intelligent))
        self.talk = talk
        self.intelligent = intelligent

    def value(self, call: Spans, heading: Heading) -> bytes:
        talk = int(call.whole(self.talk)) if call.is_there(self.talk) else None
        waited = int(call.whole(self.intelligent)) if call.is_there(self.intelligent) else None
        return minutes(total(talk, waited)).encode()


class _Label(_Text):
    def value(self, call: Spans, heading: Heading) -> bytes:
        return heading.phone_label or super().value(call, heading)


class QuickForm:
    """The parameters of an action."""

    def __init__(self, pairs: list[Pair]) -> None:
        self._pairs = pairs
        self._last: i64 = max([pair.last for pair in pairs], default=0)

    def fill(self, data: bytes, call_at: i64, call_end: i64, heading: Heading) -> bytes:
        """`from=3125550123&mins=1.1` for the call that lies between the two in `data`.

        Raises ValueError, or IndexError where the bytes end.
        """
        call = _SPANS
        if call.walk(data, call_at, self._last) > call_end:
            raise ValueError("it goes on beyond its end")
        out = BytesWriter()
        for pair in self._pairs:
            pair.write(out, call, heading)
        return out.getvalue()[1:]


def quick_form(parameters: Sequence[Parameter]) -> QuickForm | None:
    """None where one of them has to be filled in from a record."""
    pairs: list[Pair] = []
    for parameter in parameters:
        pair = _pair(parameter)
        if pair is None:
            return None
        pairs.append(pair)
    return QuickForm(pairs)


def _pair(parameter: Parameter) -> Pair | None:
    numbers, value = _PLACES.numbers, parameter.value
    if isinstance(value, LookedUp):
        return _LookedUp(parameter, numbers[f"lookup.{value.field}"])
    if isinstance(value, OfBlock) and f"{value.block}.{value.field}" in numbers:
        path = f"{value.block}.{value.field}"
        return _written(
            parameter, numbers[path], _field(value.field, _field(value.block)), value.written
        )
    if isinstance(value, OfCall):
        return _written(parameter, numbers[value.field], _field(value.field), value.written)
    if isinstance(value, Telephone):
        return _Telephone(parameter, numbers[value.raw], numbers[value.e164])
    if isinstance(value, Duration):
        return _Duration(parameter, numbers["talk_seconds"], numbers["intelligent_seconds"])
    if isinstance(value, Label):
        return _Label(parameter, numbers["phone_label"])
    return None


def _field(name: str, layout: Layout = _CALL) -> Layout:
    return next(field for field in layout.inner if field.name == name)


def _written(
    parameter: Parameter, number: int, field: Layout, written: Written | None
) -> Pair | None:
    if field.kind == STRING:
        return _Text(parameter, number) if written is None else _Word(parameter, number, written)
    if field.kind == LONG and written is not None:
        return _Whole(parameter, number, written)
    return None


def _checked(text: bytes) -> bytes:
    """Raises ValueError unless it is UTF-8."""
    if not text.isascii():
        text.decode()
    return text

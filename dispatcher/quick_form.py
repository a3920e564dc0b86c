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
from schemas.layouts import LONG, STRING
from schemas.numbers import shown
from schemas.released import current
from schemas.sources import Duration, Label, LookedUp, OfBlock, OfCall, Telephone, Written
from schemas.spans import Places, Spans

_PLACES: Final = Places(current("CallCompleted").layout, {"lookup", "distributor"})
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
        raise NotImplementedError

    def whole(self, out: BytesWriter, value: bytes) -> None:
        """Append it with a value in UTF-8."""
        size: i64 = len(value)
        self.stretch(out, value, 0, size)

    def stretch(self, out: BytesWriter, data: bytes, start: i64, end: i64) -> None:
        """The same with a stretch of bytes."""
        if start < end or not self.omit_empty:
            out.write(self.name)
            escape(out, data, start, end)


class _Text(Pair):
    """A text that goes out as it came."""

    def __init__(self, parameter: Parameter, number: i64) -> None:
        super().__init__(parameter, number)
        self.number = number

    def write(self, out: BytesWriter, call: Spans, heading: Heading) -> None:
        start = call.start(self.number)
        if start < 0:
            self.stretch(out, b"", 0, 0)
            return
        end = call.end(self.number)
        _check(call.data, start, end)
        self.stretch(out, call.data, start, end)


class _LookedUp(_Text):
    def write(self, out: BytesWriter, call: Spans, heading: Heading) -> None:
        if heading.reverse_lookup_enabled:
            super().write(out, call, heading)
        else:
            self.stretch(out, b"", 0, 0)


class _Label(_Text):
    def write(self, out: BytesWriter, call: Spans, heading: Heading) -> None:
        if heading.phone_label:
            self.whole(out, heading.phone_label)
        else:
            super().write(out, call, heading)


class _Word(_Text):
    """A text that one of `schemas.formats` changes."""

    def __init__(self, parameter: Parameter, number: i64, written: Written) -> None:
        super().__init__(parameter, number)
        self.written = written

    def write(self, out: BytesWriter, call: Spans, heading: Heading) -> None:
        text: str = self.written(call.piece(self.number).decode())
        self.whole(out, utf8(text))


class _Whole(Pair):
    """A whole number, written by one of `schemas.formats`; empty where its block is null."""

    def __init__(self, parameter: Parameter, number: i64, written: Written) -> None:
        super().__init__(parameter, number)
        self.number = number
        self.written = written

    def write(self, out: BytesWriter, call: Spans, heading: Heading) -> None:
        if call.is_there(self.number):
            text: str = self.written(int(call.whole(self.number)))
            self.whole(out, text.encode())
        else:
            self.stretch(out, b"", 0, 0)


class _Telephone(Pair):
    def __init__(self, parameter: Parameter, raw: i64, e164: i64) -> None:
        super().__init__(parameter, max(raw, e164))
        self.raw = raw
        self.e164 = e164

    def write(self, out: BytesWriter, call: Spans, heading: Heading) -> None:
        data, start, end = call.data, call.start(self.e164), call.end(self.e164)
        if _is_national(data, start, end):
            self.stretch(out, data, start + 2, end)
        else:
            raw, e164 = call.piece(self.raw).decode(), call.piece(self.e164).decode()
            self.whole(out, utf8(shown(raw, e164)))


class _Duration(Pair):
    def __init__(self, parameter: Parameter, talk: i64, intelligent: i64) -> None:
        super().__init__(parameter, max(talk, intelligent))
        self.talk = talk
        self.intelligent = intelligent

    def write(self, out: BytesWriter, call: Spans, heading: Heading) -> None:
        talk = int(call.whole(self.talk)) if call.is_there(self.talk) else None
        waited = int(call.whole(self.intelligent)) if call.is_there(self.intelligent) else None
        self.whole(out, minutes(total(talk, waited)).encode())


def _is_national(data: bytes, start: i64, end: i64) -> bool:
    """`+1` and ten digits: what most numbers are."""
    if end - start != 12 or data[start] != 0x2B or data[start + 1] != 0x31:
        return False
    at: i64 = start + 2
    while at < end:
        digit: i64 = data[at]
        if not 0x30 <= digit <= 0x39:
            return False
        at += 1
    return True


def _check(data: bytes, start: i64, end: i64) -> None:
    """Raises ValueError unless it is UTF-8."""
    at: i64 = start
    while at < end:
        if data[at] > 127:
            data[start:end].decode()
            return
        at += 1


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
        return _written(parameter, f"{value.block}.{value.field}", value.written)
    if isinstance(value, OfCall):
        return _written(parameter, value.field, value.written)
    if isinstance(value, Telephone):
        return _Telephone(parameter, numbers[value.raw], numbers[value.e164])
    if isinstance(value, Duration):
        return _Duration(parameter, numbers["talk_seconds"], numbers["intelligent_seconds"])
    if isinstance(value, Label):
        return _Label(parameter, numbers["phone_label"])
    return None


def _written(parameter: Parameter, path: str, written: Written | None) -> Pair | None:
    number, kind = _PLACES.numbers[path], _PLACES.kinds[path]
    if kind == STRING:
        return _Text(parameter, number) if written is None else _Word(parameter, number, written)
    if kind == LONG and written is not None:
        return _Whole(parameter, number, written)
    return None

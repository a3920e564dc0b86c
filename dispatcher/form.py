"""`application/x-www-form-urlencoded`: of a GET's query and a form's body. D20, D22 to D26."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from librt.strings import BytesWriter
from mypy_extensions import i64, u8

from dispatcher.parameters import Parameter, plain
from dispatcher.utf8 import utf8
from schemas.blocks import Block
from schemas.released import Record
from schemas.sources import Value

CONTENT_TYPE = "application/x-www-form-urlencoded"
_HEX: Final = b"0123456789ABCDEF"


def encoded(text: str) -> bytes:
    """UTF-8, percent-encoded, space as `+`; what is no character becomes U+FFFD. D24."""
    out = BytesWriter()
    _write(out, text)
    return out.getvalue()


def _write(out: BytesWriter, text: str) -> None:
    data = utf8(text)
    escape(out, data, 0, len(data))


def escape(out: BytesWriter, data: bytes, start: i64, end: i64) -> None:
    """Append a stretch of UTF-8, percent-encoded."""
    at: i64 = start
    while at < end:
        byte: i64 = data[at]
        at += 1
        if _is_safe(byte):
            out.append(u8(byte))
        elif byte == 0x20:
            out.append(u8(0x2B))
        else:
            out.append(u8(0x25))
            out.append(u8(_HEX[byte >> 4]))
            out.append(u8(_HEX[byte & 15]))


def _is_safe(byte: i64) -> bool:
    """A letter, a digit, or one of `-._~`."""
    if byte >= 0x61:
        return byte <= 0x7A or byte == 0x7E
    if byte >= 0x41:
        return byte <= 0x5A or byte == 0x5F
    return 0x30 <= byte <= 0x39 or byte == 0x2D or byte == 0x2E  # noqa: PLR1714 - `in` is slower


class _Pairs:
    """Parameters taken apart, for the loop below."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._pairs: list[tuple[bytes, Value, bool]] = [
            (b"&%b=" % encoded(p.name), p.value, p.omit_empty) for p in parameters
        ]

    def write(self, out: BytesWriter, d: Record) -> None:
        """`&from=3125550123&mins=1.1`"""
        for name, value, omit_empty in self._pairs:
            text = value(d)
            if text or not omit_empty:
                out.write(name)
                _write(out, text)


@cache
def _block(block: Block, omit_empty: bool) -> _Pairs:
    """The same for all actions."""
    return _Pairs([plain(p, p.id, omit_empty) for p in block.parameters])


def compile_form(
    parameters: Sequence[Parameter], blocks: Sequence[Block], omit_empty: bool
) -> Callable[[Record], bytes]:
    """The function that fills the pairs in for a Dispatch record: `from=3125550123&mins=1.1`."""
    own = _Pairs(parameters)
    optional = tuple((block.applies, _block(block, omit_empty)) for block in blocks)

    def fill(d: Record) -> bytes:
        out = BytesWriter()
        own.write(out, d)
        for applies, block in optional:
            if applies(d):
                block.write(out, d)
        return out.getvalue()[1:]

    return fill

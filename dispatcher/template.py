"""Template bodies: the customer's own text, with values where it says `{{placeholder}}`."""

from __future__ import annotations

import re
from collections.abc import Callable

from dispatcher import form, json_body
from dispatcher.request import Unsendable
from dispatcher.utf8 import utf8
from schemas.blocks import NAMED
from schemas.released import Record

DEFAULT_CONTENT_TYPE = "text/plain; charset=utf-8"
_PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")

# XML 1.0 has no way to write the other control characters. Line ends and tabs are written out:
# a parser would make spaces of them in an attribute.
_XML = str.maketrans(
    dict.fromkeys([*map(chr, range(0x20)), "\ufffe", "\uffff"], "\ufffd")
    | {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
)


def _as_it_is(value: str) -> str:
    return value


def _in_json(value: str) -> str:
    return json_body.text(value)[1:-1]


def _in_xml(value: str) -> str:
    return value.translate(_XML)


def _in_form(value: str) -> str:
    return form.encoded(value).decode()


def _escape(content_type: str) -> Callable[[str], str]:
    """For a media type in lower case, without parameters."""
    if content_type.endswith(("/json", "+json")):
        return _in_json
    if content_type.endswith(("/xml", "+xml")):
        return _in_xml
    return _in_form if content_type == form.CONTENT_TYPE else _as_it_is


def compile_template(template: str, content_type: str) -> Callable[[Record], bytes]:
    """The function that fills the template in for a Dispatch record.

    Raises `Unsendable` for a name that is neither a placeholder nor a parameter of a block.
    """
    pieces = _PLACE.split(template)  # text, name, text, name, … text
    unknown = [name for name in pieces[1::2] if name not in NAMED]
    if unknown:
        raise Unsendable("unrenderable", f"the template names {unknown[0][:100]!r}: no placeholder")
    values = tuple(NAMED[name] for name in pieces[1::2])
    escape = _escape(content_type)

    def fill(d: Record) -> bytes:
        filled = pieces[:]
        filled[1::2] = [escape(value(d)) for value in values]
        return utf8("".join(filled))

    return fill

"""The headers of a request: those that all of an action carry, and those that tell of one try."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from librt.strings import BytesWriter
from mypy_extensions import i64, u8

from dispatcher.request import TryHeaders, Unsendable
from schemas.headers import HEADER_NAME, OURS
from schemas.released import Record

USER_AGENT = "PostCallAction/1"
TRY_HEADERS = frozenset(
    {"webhook-id", "webhook-timestamp", "webhook-attempt", "webhook-signature", "traceparent"}
)
"""Those that tell of one try."""
_ID = re.compile(rb"[A-Za-z0-9_-]{1,100}")
_LONGEST_ID: Final = 100
_HEX: Final = b"0123456789abcdef"
_NEVER_IN_A_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def fixed_headers(action: Record, authorization: str, content_type: str) -> dict[str, str]:
    """Ours, and the action's own as configured, which replace ours of the same name.

    Never among them: `webhook-…`, and what frames the message. Empty arguments make no header.
    Raises `Unsendable` for what cannot stand in a header.
    """
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
    if authorization:
        headers["Authorization"] = authorization
    if content_type:
        headers["Content-Type"] = _checked("Content-Type", content_type)
    for header in action["headers"]:
        name, value = header["name"], _checked(header["name"], header["value"])
        lowered = name.lower()
        if lowered in OURS or lowered.startswith("webhook-"):
            continue
        for same in [known for known in headers if known.lower() == lowered]:
            del headers[same]
        # The one of a try's that an action may set itself; under one name it is sent once.
        headers[lowered if lowered == "traceparent" else name] = value
    return headers


def try_headers(dispatch_id: bytes, attempt: i64, now: i64) -> TryHeaders:
    """What is told of one try at a dispatch, begun at `now` (microseconds since 1970).

    `traceparent` by W3C Trace Context: all tries of a dispatch are one trace, each a span of it.
    Raises `Unsendable` for a dispatch id that could be taken for more than an id: in a header, or,
    with a dot, in what is signed.
    """
    trace = dispatch_id.replace(b"-", b"")
    if not _is_trace(trace) or len(dispatch_id) > _LONGEST_ID:  # not made by us
        if not _ID.fullmatch(dispatch_id):
            shown = dispatch_id[:100].decode("utf-8", "replace")
            raise Unsendable("unrenderable", f"{shown!r} is no dispatch id")
        trace = sha256(dispatch_id).hexdigest()[:32].encode()
    # The attempt in the first byte, the time in the others: no two tries share it.
    span: i64 = (attempt & 0xFF) << 56 | now & 0xFF_FFFF_FFFF_FFFF
    return TryHeaders(
        dispatch_id,
        str(now // 1_000_000).encode(),
        str(attempt).encode(),
        _traceparent(trace, span or 1),
    )


def _is_trace(text: bytes) -> bool:
    """32 hexadecimal digits, not all of them zero."""
    if len(text) != 32:
        return False
    nothing = True
    for n in range(32):
        digit: i64 = text[n]
        if digit != 0x30:
            nothing = False
            if not (0x31 <= digit <= 0x39 or 0x61 <= digit <= 0x66):
                return False
    return not nothing


def _traceparent(trace: bytes, span: i64) -> bytes:
    out = BytesWriter()
    out.write(b"00-")
    out.write(trace)
    out.append(u8(0x2D))
    shift: i64 = 60
    while shift >= 0:
        out.append(u8(_HEX[(span >> shift) & 15]))
        shift -= 4
    out.write(b"-01")
    return out.getvalue()


def _checked(name: str, value: str) -> str:
    """Validation refuses these when saved; what was stored past it must not split a request."""
    if not HEADER_NAME.fullmatch(name):
        raise Unsendable("unrenderable", f"{name[:100]!r} is no name of a header")
    if _NEVER_IN_A_VALUE.search(value):
        raise Unsendable("unrenderable", f"the header {name} holds a control character")
    return value


def content_type_of(headers: dict[str, str]) -> str:
    """The media type without its parameters, in lower case; empty without one."""
    full = next((v for name, v in headers.items() if name.lower() == "content-type"), "")
    return full.partition(";")[0].strip().lower()

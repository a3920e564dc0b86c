"""The headers of a request: those that all of an action carry, and those that tell of one try."""

from __future__ import annotations

import re
from hashlib import sha256

from dispatcher.request import Unsendable
from schemas.headers import HEADER_NAME, OURS
from schemas.released import Record

USER_AGENT = "PostCallAction/1"
TRY_HEADERS = frozenset(
    {"webhook-id", "webhook-timestamp", "webhook-attempt", "webhook-signature", "traceparent"}
)
"""Those that tell of one try."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_NO_TRACE = "0" * 32
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


def try_headers(dispatch: Record, now: int) -> dict[str, str]:
    """What is told of one try at a dispatch, begun at `now` (microseconds since 1970).

    `traceparent` by W3C Trace Context: all tries of a dispatch are one trace, each a span of it.
    Raises `Unsendable` for a dispatch id that could be taken for more than an id: in a header, or,
    with a dot, in what is signed.
    """
    id_: str = dispatch["dispatch_id"]
    attempt: int = dispatch["attempt"]
    trace = id_.replace("-", "")
    if not _UUID.fullmatch(id_) or trace == _NO_TRACE:  # not made by us
        if not _ID.fullmatch(id_):
            raise Unsendable("unrenderable", f"{id_[:100]!r} is no dispatch id")
        if not _TRACE_ID.fullmatch(trace):
            trace = sha256(id_.encode()).hexdigest()[:32]
    # The attempt in the first byte, the time in the others: no two tries share it.
    span = (attempt & 0xFF) << 56 | now & 0xFF_FFFF_FFFF_FFFF or 1
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(now // 1_000_000),
        "webhook-attempt": str(attempt),
        "traceparent": f"00-{trace}-{span:016x}-01",
    }


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

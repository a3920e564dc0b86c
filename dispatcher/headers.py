"""The headers that every request of an action carries."""

from __future__ import annotations

import re

from dispatcher.request import Unsendable
from schemas.headers import HEADER_NAME, OURS
from schemas.released import Record

USER_AGENT = "PostCallAction/1"
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
        headers[name] = value
    return headers


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

"""Custom headers, and the media type of a template's body."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from schemas.call import Shape

_CHARACTERS = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
HEADER_NAME = re.compile(_CHARACTERS)
_VALUE = re.compile(r"([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?")
_PARAMETER = rf"{_CHARACTERS}=({_CHARACTERS}|\"[\t\x20\x21\x23-\x5b\x5d-\x7e]*\")"
_MEDIA_TYPE = re.compile(rf"{_CHARACTERS}/{_CHARACTERS}([ \t]*;[ \t]*{_PARAMETER})*")
_CHARSET = re.compile(r";[ \t]*charset=\"?([^\";\s]*)", re.IGNORECASE)
OURS = frozenset({
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
"""Describe the connection or the framing of the message, which only the sender can know."""
_SECRET = re.compile(r"auth|cookie|key|passw|secret|token", re.IGNORECASE)


def _name(name: str) -> str:
    lowered = name.lower()
    if not HEADER_NAME.fullmatch(name):
        raise ValueError(
            "is no header name; allowed are letters, digits and any of !#$%&'*+-.^_`|~"
        )
    if lowered in OURS:
        raise ValueError(
            "is set by the dispatcher alone; leave it out. Not allowed are"
            f" {', '.join(sorted(OURS))} and webhook-…"
        )
    if lowered.startswith("webhook-"):
        raise ValueError("is a name of ours: all that start with webhook- are; choose another")
    return name


def _value(value: str) -> str:
    if not _VALUE.fullmatch(value):
        raise ValueError(
            "is no header value; allowed are visible ASCII characters, with spaces and tabs only"
            " between them; no line break"
        )
    return value


def _content_type(value: str) -> str:
    if not _MEDIA_TYPE.fullmatch(value):
        raise ValueError(
            "is no media type; write it as application/xml or text/plain;charset=utf-8"
        )
    charset = _CHARSET.search(value)
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        raise ValueError("names another charset; bodies are UTF-8, write charset=utf-8 or none")
    return value


ContentType = Annotated[str, StringConstraints(max_length=200), AfterValidator(_content_type)]


class Header(Shape):
    """A header that every request of an action carries."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_name)]
    value: Annotated[str, StringConstraints(max_length=2000), AfterValidator(_value)]


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether a header of this name holds what must not be shown: it is masked everywhere."""
    return _SECRET.search(name) is not None

"""Heads of answers that were read before: an endpoint says the same again and again, but for the
second in its `Date`, and what is the same to the byte means the same."""

from __future__ import annotations

from typing import Final

_MOST: Final = 2048
"""Heads that are kept."""
_LONGEST: Final = 1024
"""Bytes of a head that is kept."""
_END: Final = b"\r\n\r\n"


class KnownHead:
    """The final head of an answer whose body has a length, and whose connection goes on."""

    __slots__ = ("body_size", "headers", "shown", "status")

    def __init__(self, status: int, headers: dict[str, str], body_size: int) -> None:
        self.status = status
        self.headers = headers
        """Of all answers that begin so: nobody may change them."""
        self.body_size = body_size
        self.shown = b""
        """`headers` as attempts show them; empty until the first has."""


_heads: Final[dict[bytes, KnownHead]] = {}


def head_end(data: bytes) -> int:
    """Where the head of an answer ends; 0 where it is cut off, or ends in another way
    than most."""
    end = data.find(_END)
    return 0 if end < 0 else end + len(_END)


def known(head: bytes) -> KnownHead | None:
    """None for one that was not read before, or not of late."""
    return _heads.get(head)


def remember(head: bytes, found: KnownHead) -> None:
    """A head that was read as a whole."""
    if len(head) > _LONGEST:
        return
    if len(_heads) >= _MOST:
        _heads.clear()
    _heads[head] = found

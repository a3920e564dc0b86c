"""Where a whole answer is: HTTP/1.1 read plainly, with no code of ours or aiohttp's."""

from __future__ import annotations

import re

_BLANK = re.compile(rb"\r?\n\r?\n")
_BLANK_OR_SPACES = re.compile(rb"\r?\n[ \t]*\r?\n|\r\r\n")
_STATUS = re.compile(rb"\s*HTTP/1\.[01] +(\d{3})")
_LENGTH = re.compile(
    rb"^[ \t]*content-length[ \t]*:(?:[ \t\r]|\n[ \t])*(0*\d{1,15})[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_CHUNKED = re.compile(
    rb"^[ \t]*transfer-encoding[ \t]*:(?:[^\n]|\n[ \t])*chunked[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_EMPTY = (b"204", b"304")
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[^\n]*\n")


def final_answer(data: bytes, *, spaces: bool = False) -> tuple[int, int | None] | None:
    """From where to where the first final answer goes; None for an end that only the end of the
    connection can be. None altogether where it cannot be said. With `spaces` a line of nothing but
    spaces ends a head, and so does one after a bare CR."""
    blank = _BLANK_OR_SPACES if spaces else _BLANK
    start = 0
    while True:
        status = _STATUS.match(data, start)
        found = blank.search(data, status.end()) if status else None
        if not found or not status:
            return None
        if not status[1].startswith(b"1"):
            head = data[start : found.end()]
            if not _LENGTH.search(head) and not _CHUNKED.search(head) and status[1] not in _EMPTY:
                return start, None
            end = _end_of_body(data, found.end(), status[1], head)
            return None if end is None else (start, end)
        start = found.end()


def _end_of_body(data: bytes, start: int, status: bytes, head: bytes) -> int | None:
    if status in _EMPTY:
        return start
    if _CHUNKED.search(head):
        return _end_of_chunks(data, start)
    length = _LENGTH.search(head)
    if length is None:
        return None
    end = start + int(length[1])
    return end if end <= len(data) else None


def _end_of_chunks(data: bytes, start: int) -> int | None:
    while size := _CHUNK.match(data, start):
        start = size.end() + int(size[1], 16)
        if int(size[1], 16) == 0:
            while line := re.compile(rb"[^\n]*\n").match(data, start):
                start = line.end()
                if not line[0].strip():
                    return start
            return None
        behind = re.compile(rb"\r?\n").match(data, start)
        if behind is None:
            return None
        start = behind.end()
    return None

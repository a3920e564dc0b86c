"""Where a whole answer is: HTTP/1.1 read plainly, with no code of ours or aiohttp's."""

from __future__ import annotations

import re

_HEAD_END = re.compile(rb"\r?\n[ \t]*\r?\n")
_STATUS = re.compile(rb"\s*HTTP/1\.[01] +(\d{3})")
_LENGTH = re.compile(
    rb"^[ \t]*content-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_CHUNKED = re.compile(
    rb"^[ \t]*transfer-encoding[ \t]*:[^\n]*chunked[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[^\n]*\n")


def final_answer(data: bytes) -> tuple[int, int] | None:
    """From where to where the first final answer goes; None where that cannot be said."""
    start = 0
    while True:
        found = _HEAD_END.search(data, start)
        status = _STATUS.match(data, start)
        if not found or not status:
            return None
        if not status[1].startswith(b"1"):
            head = data[start : found.end()]
            end = _end_of_body(data, found.end(), status[1], head)
            return None if end is None else (start, end)
        start = found.end()


def _end_of_body(data: bytes, start: int, status: bytes, head: bytes) -> int | None:
    if status in (b"204", b"304"):
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

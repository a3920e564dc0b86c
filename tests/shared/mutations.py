"""Answers for the fuzzer: a corpus, good and odd, and what can be done to it.

Everything follows from a seed and a number, so each case can be made again alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Literal

from plain_reading import final_answer

_OK = b"HTTP/1.1 200 OK\r\n"
_HELLO = b"5\r\nhello\r\n"
CORPUS = (
    _OK + b"Content-Length: 5\r\n\r\nhello",
    _OK + b"Content-Length: 0\r\n\r\n",
    _OK + b"Content-Type: text/plain\r\nContent-Length: 300\r\n\r\n" + b"0123456789" * 30,
    _OK + b"Transfer-Encoding: chunked\r\n\r\n" + _HELLO + b"0\r\n\r\n",
    _OK + b"Transfer-Encoding: chunked\r\n\r\n" + _HELLO * 3 + b"A\r\n0123456789\r\n0\r\n\r\n",
    _OK + b"Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n" + _HELLO + b"0\r\nX-A: b\r\n\r\n",
    _OK + b'Transfer-Encoding: chunked\r\n\r\n5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n',
    _OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + _HELLO + b"0\r\n\r\n",
    _OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + _HELLO + b"0\r\n\r\n",
    _OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x08\0\0",
    _OK + b"Connection: close\r\n\r\nuntil the end",
    _OK + b"\r\nuntil the end",
    _OK + b"Connection: keep-alive\r\nKeep-Alive: timeout=5, max=9\r\nContent-Length: 2\r\n\r\nok",
    _OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    _OK + b"Content-Length: 2, 2\r\n\r\nok",
    _OK + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
    _OK + b"Set-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\nContent-Length: 2\r\n\r\nok",
    _OK + b"X-A: caf\xe9 \xe2\x82\xac\r\nContent-Length: 2\r\n\r\nok",
    _OK + b"X: " + b"y" * 2000 + b"\r\nContent-Length: 2\r\n\r\nok",
    _OK + b"".join(b"X-%d: y\r\n" % n for n in range(60)) + b"Content-Length: 2\r\n\r\nok",
    _OK + b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 301 Moved Permanently\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone",
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops",
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n"
    b"Connection: close\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\n" + _OK + b"Content-Length: 2\r\n\r\nok",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + _OK + b"Content-Length: 2\r\n\r\nok",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n\x81\x02hi",
    _OK + b"Content-Length: 2\r\n\r\nok" + _OK + b"Content-Length: 6\r\n\r\nforged",
    _OK.replace(b"\r\n", b"\n") + b"Content-Length: 2\n\nok",
    b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"<html>not HTTP/1.1</html>\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x46",
)  # fmt: skip

TOKENS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b"\0", b" ", b"\t", b":", b";", b",", b"=", b'"',
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/", b"200", b"100", b"101", b"204",
    b"304", b"999", b"000", b"Content-Length: ", b"Content-Length: 5\r\n", b"content-length:0\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"chunked", b"gzip",
    b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Upgrade: websocket\r\n",
    b"0\r\n\r\n", b"5\r\nhello\r\n", b"-1", b"+5", b"0x5", b"FFFFFFFF", b"FFFFFFFFFFFFFFFF",
    b"18446744073709551616", b"9223372036854775808", b"\xff", b"\x80", b"\x7f", b"\x0b", b"\x0c",
    b"\xc2\xa0", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b" folded\r\n", b"X-A: b\r\n", b"Trailer: X\r\n", b"\x1f\x8b\x08",
)  # fmt: skip
NUMBERS = (b"0", b"1", b"2", b"5", b"6", b"00005", b"10", b"255", b"4096", b"65536",
           b"99999999", b"4294967296", b"18446744073709551616", b"-1", b"a", b"",
           b"5 ", b" 5", b"5,5")  # fmt: skip

Ending = Literal["goes on", "closes", "resets"]


@dataclass(frozen=True)
class Case:
    """A mutated answer, as the server gives it."""

    number: int
    pieces: tuple[bytes, ...]
    """Written one by one."""
    ending: Ending
    method: Literal["GET", "POST"]

    @property
    def answer(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces)


def case(seed: int, number: int) -> Case:
    """The case of that number; the same for the same seed for ever."""
    dice = Random(f"{seed}/{number}")
    answer = bytearray(dice.choice(CORPUS))
    for _ in range(min(1 + int(dice.expovariate(0.7)), 8)):
        dice.choice(_MUTATIONS)(answer, dice)
    pieces = _split(bytes(answer[:600_000]), dice)
    return Case(number, pieces, _ending(bytes(answer), dice), dice.choice(("GET", "POST")))


def _ending(answer: bytes, dice: Random) -> Ending:
    if dice.random() < 0.05:
        return "resets"
    # To be waited for until the deadline is the most costly end; a few of those are enough.
    found = final_answer(answer)
    whole = found is not None and found[1] is not None
    return "goes on" if dice.random() < (0.8 if whole else 0.06) else "closes"


def _split(answer: bytes, dice: Random) -> tuple[bytes, ...]:
    count = dice.choice((1, 1, 1, 2, 3, 6, 30))
    cuts = sorted(dice.randrange(len(answer) + 1) for _ in range(count - 1))
    ends = [0, *cuts, len(answer)]
    parts = (answer[a:b] for a, b in pairwise(ends))
    return tuple(part for part in parts if part)


def _place(answer: bytearray, dice: Random) -> int:
    return dice.randrange(len(answer) + 1)


def _slice(answer: bytearray, dice: Random) -> tuple[int, int]:
    start = _place(answer, dice)
    return start, min(len(answer), start + dice.choice((1, 2, 5, 20, 100)))


def _flip_bits(answer: bytearray, dice: Random) -> None:
    for _ in range(dice.randint(1, 4)):
        if answer:
            answer[dice.randrange(len(answer))] ^= 1 << dice.randrange(8)


def _replace_bytes(answer: bytearray, dice: Random) -> None:
    for _ in range(dice.randint(1, 4)):
        if answer:
            answer[dice.randrange(len(answer))] = dice.choice(b"\r\n\0 \t:;,=09AaF\x7f\x80\xff")


def _cut_out(answer: bytearray, dice: Random) -> None:
    start, end = _slice(answer, dice)
    del answer[start:end]


def _repeat(answer: bytearray, dice: Random) -> None:
    start, end = _slice(answer, dice)
    times = dice.choices((1, 2, 10, 100, 5000), (30, 30, 20, 15, 2))[0]
    answer[start:start] = answer[start:end] * times


def _splice(answer: bytearray, dice: Random) -> None:
    other = dice.choice(CORPUS)
    answer[_place(answer, dice) :] = other[dice.randrange(len(other)) :]


def _append(answer: bytearray, dice: Random) -> None:
    answer += dice.choice(CORPUS)


def _prepend(answer: bytearray, dice: Random) -> None:
    answer[:0] = dice.choice(CORPUS)


def _truncate(answer: bytearray, dice: Random) -> None:
    del answer[_place(answer, dice) :]


def _insert_token(answer: bytearray, dice: Random) -> None:
    place = _place(answer, dice)
    answer[place:place] = dice.choice(TOKENS)


def _insert_line(answer: bytearray, dice: Random) -> None:
    ends = [found.end() for found in re.finditer(rb"\r\n", answer)]
    place = dice.choice(ends) if ends else 0
    answer[place:place] = dice.choice(TOKENS)


def _change_number(answer: bytearray, dice: Random) -> None:
    found = list(re.finditer(rb"[0-9]+", answer))
    if found:
        start, end = dice.choice(found).span()
        answer[start:end] = dice.choice(NUMBERS)


def _change_size(answer: bytearray, dice: Random) -> None:
    found = list(re.finditer(rb"(?<=\r\n)[0-9A-Fa-f]+(?=[;\r])", answer))
    if found:
        start, end = dice.choice(found).span()
        answer[start:end] = dice.choice(NUMBERS)


def _change_line_ends(answer: bytearray, dice: Random) -> None:
    new = dice.choice((b"\n", b"\r", b"\r\r\n", b"\r\n ", b" \r\n"))
    answer[:] = answer.replace(b"\r\n", new, dice.choice((1, 2, 100)))


def _swap_lines(answer: bytearray, dice: Random) -> None:
    lines = bytes(answer).split(b"\r\n")
    a, b = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    answer[:] = b"\r\n".join(lines)


_MUTATIONS = (
    _flip_bits, _replace_bytes, _cut_out, _repeat, _splice, _append, _prepend, _truncate,
    _insert_token, _insert_token, _insert_line, _change_number, _change_size, _change_line_ends,
    _swap_lines,
)  # fmt: skip

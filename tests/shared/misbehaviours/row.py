"""A row of the table, and the verbs that most rows are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hostile import Connection, Script

DEADLINE = 0.25
"""Seconds that a request may take where it is to come to that."""
AMPLE = 5.0
"""Seconds that it may take elsewhere: more than a busy machine stands still."""
CAP = 65_536
"""Bytes of an answer that may be read."""
PART = 262_144
"""What an event loop reads at once, at most: how far reading may go beyond the cap."""

End = int | str
"""A status, or a class of error."""


@dataclass(frozen=True)
class Row:
    """A misbehaviour and what must come of it."""

    name: str
    """Reads as a sentence after "a server that"."""
    script: Script
    ends: End | tuple[End, ...]
    """The status of the answer, or the class of error; several where the network decides, by who
    comes first, which it is."""
    then: Literal["", "delivered", "retry", "dead"] = ""
    """What comes of the dispatch where an answer ends it; stated for every status but 2xx."""
    reused: bool | None = None
    """Whether the connection carries the next request: must, must not, may."""
    method: Literal["GET", "POST"] = "POST"
    sends: int = 3
    """Bytes of the request's body."""
    body: bytes | None = None
    """The answer's, where it matters."""
    first: int = 0
    """Good requests on the connection before."""
    arrives: tuple[int, ...] = (1,)
    """How often the request may be seen by the server."""
    secured: bool = False
    """Over TLS."""
    listens: Literal["", "not", "backlog full"] = ""

    @property
    def expected(self) -> tuple[End, ...]:
        """`ends`, always as several."""
        return self.ends if isinstance(self.ends, tuple) else (self.ends,)


def head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """The head of an answer."""
    return b"\r\n".join((status, *lines, b"", b""))


def lengthy(body: bytes, *lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """A good answer, as long as it says."""
    return head(*lines, b"Content-Length: %d" % len(body), status=status) + body


def chunked(*parts: bytes) -> bytes:
    """A chunked answer; the parts are chunks as they go over the wire."""
    return head(b"Transfer-Encoding: chunked") + b"".join(parts)


LAST = b"0\r\n\r\n"
OK = lengthy(b"ok")


def says(*parts: bytes) -> Script:
    """Answers with these bytes, with a moment between the parts, then goes on as a good server."""

    def script(connection: Connection) -> None:
        connection.request()
        for number, part in enumerate(parts):
            connection.pause(0.02 if number else 0)
            connection.send(part)
        connection.go_on()

    return script


def says_and_closes(data: bytes) -> Script:
    """Answers with these bytes and closes."""

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(data)

    return script


def says_and_resets(data: bytes) -> Script:
    """Answers with these bytes and cuts the connection once they had time to arrive."""

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(data)
        connection.pause(0.02)
        connection.reset()

    return script


def floods(start: bytes, part: bytes, every: float = 0.0) -> Script:
    """Answers with the start and then with the part for ever."""

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(start)
        connection.flood(part, every)

    return script


def dribbles(start: bytes, rest: bytes, every: float) -> Script:
    """Answers with the start at once and with the rest a byte at a time."""

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(start)
        connection.dribble(rest, every)
        connection.go_on()

    return script

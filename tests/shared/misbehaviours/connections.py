"""What a server does to the connection."""

from __future__ import annotations

import socket

from hostile import Connection

from misbehaviours.row import (
    LAST,
    OK,
    Row,
    chunked,
    dribbles,
    floods,
    head,
    lengthy,
    says,
    says_and_closes,
    says_and_resets,
)

LARGE = 4 * 1024 * 1024
STARTED = head(b"Content-Length: 9") + b"abc"


def _silent(connection: Connection) -> None:
    connection.hold()


def _closes(connection: Connection) -> None:
    connection.close()


def _resets(connection: Connection) -> None:
    connection.reset()


def _reads_slowly(connection: Connection) -> None:
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.quiet = True
    while connection.socket.recv(1):
        connection.pause(0.02)


def _refuses_the_body(connection: Connection) -> None:
    connection.head()
    connection.send(lengthy(b"too large", status=b"HTTP/1.1 413 Content Too Large"))
    connection.hold()


def _refuses_the_body_and_closes(connection: Connection) -> None:
    connection.head()
    connection.send(lengthy(b"too large", status=b"HTTP/1.1 413 Content Too Large"))
    connection.close()  # with unread bytes: the kernel makes a reset of it


def _answers_half_way(connection: Connection) -> None:
    connection.head()
    connection.send(OK)
    connection.pause(0.02)
    connection.skip(LARGE)
    connection.go_on()


def _answers_unasked(connection: Connection) -> None:
    connection.send(OK)
    connection.healthily(1)  # here and not in go_on(): not quiet before this is said too
    connection.go_on()


def _half_closes_after(answer: bytes):
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(answer)
        connection.half_close()
        connection.go_on()

    return script


def _half_closes_at_once(connection: Connection) -> None:
    connection.half_close()
    connection.hold()


def _pauses(connection: Connection) -> None:
    connection.request()
    connection.send(head(b"Content-Length: 2"))
    connection.pause(0.05)
    connection.send(b"ok")
    connection.go_on()


ROWS = (
    Row("listens at no port", _silent, "connect", listens="not", arrives=(0,)),
    Row("has a full backlog", _silent, "timeout", listens="backlog full", arrives=(0,)),
    Row("accepts and says nothing", _silent, "timeout", arrives=(0,)),
    Row("reads the request and says nothing", says(), "timeout", reused=False),
    Row("closes at once", _closes, "closed", arrives=(0,)),
    Row("resets at once", _resets, ("closed", "connect"), arrives=(0,)),
    Row("closes its sending side at once", _half_closes_at_once, "closed", arrives=(0,)),
    Row("closes after the request", says_and_closes(b""), "closed"),
    Row("resets after the request", says_and_resets(b""), "closed"),
    Row("closes in the status line", says_and_closes(b"HTTP/1.1 2"), "closed"),
    Row("resets in the status line", says_and_resets(b"HTTP/1.1 2"), "closed"),
    Row("closes in the headers", says_and_closes(b"HTTP/1.1 200 OK\r\nX-A: b\r\nX-"), "closed"),
    Row("resets in the headers", says_and_resets(b"HTTP/1.1 200 OK\r\nX-A: b\r\nX-"), "closed"),
    Row("closes in the body", says_and_closes(STARTED), "closed"),
    Row("resets in the body", says_and_resets(STARTED), "closed"),
    Row("closes within a chunk", says_and_closes(chunked(b"9\r\nabc")), "closed"),
    Row("closes before the last chunk", says_and_closes(chunked(b"3\r\nabc\r\n")), "closed"),
    Row("closes within the last chunk", says_and_closes(chunked(b"3\r\nabc\r\n0\r\n")), "closed"),
    Row("resets between chunks", says_and_resets(chunked(b"3\r\nabc\r\n")), "closed"),
    Row("resets a body without length", says_and_resets(head() + b"abc"), "closed"),
    Row("half-closes before it answers", _half_closes_after(b""), "closed"),
    Row("half-closes after a whole answer", _half_closes_after(OK), 200, reused=False),
    Row("half-closes to end a body without length", _half_closes_after(head() + b"abc"), 200,
        body=b"abc", reused=False),
    Row("never reads a body of 4 MiB", _silent, "timeout", sends=LARGE, arrives=(0,)),
    Row("reads a body of 4 MiB a byte at a time", _reads_slowly, "timeout", sends=LARGE,
        arrives=(0,)),
    Row("answers 413 and never reads the body", _refuses_the_body, 413, "dead", sends=LARGE,
        reused=False),
    Row("answers 413 and closes with the body unread", _refuses_the_body_and_closes,
        (413, "closed"), "dead", sends=LARGE, reused=False),
    Row("answers when half of the body has come, then reads on", _answers_half_way, 200,
        sends=LARGE),
    Row("answers before it was asked", _answers_unasked, (200, "protocol", "closed"),
        arrives=(0, 1)),
    Row("pauses between head and body, within the deadline", _pauses, 200, body=b"ok",
        reused=True),
    Row("dribbles a whole answer within the deadline", dribbles(b"", OK, 0.002), 200, body=b"ok",
        reused=True),
    Row("dribbles the status line beyond the deadline",
        dribbles(b"", b"HTTP/1.1 200 " + b"O" * 500, 0.01), "timeout"),
    Row("dribbles headers beyond the deadline",
        floods(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.01), "timeout"),
    Row("dribbles one header beyond the deadline",
        dribbles(b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 500, 0.01), "timeout"),
    Row("dribbles a body with a length beyond the deadline",
        dribbles(head(b"Content-Length: 500"), b"x" * 500, 0.01), "timeout"),
    Row("dribbles a body without length beyond the deadline", dribbles(head(), b"x" * 500, 0.01),
        "timeout"),
    Row("dribbles chunks beyond the deadline", floods(chunked(), b"1\r\nx\r\n", 0.01), "timeout"),
    Row("dribbles the size of a chunk beyond the deadline",
        dribbles(chunked(), b"0" * 500, 0.02), "timeout"),
    Row("dribbles an extension of a chunk beyond the deadline",
        dribbles(chunked(b"1;a="), b"x" * 500, 0.01), "timeout"),
    Row("dribbles trailers beyond the deadline",
        floods(chunked(b"0\r\n"), b"X-A: b\r\n", 0.01), "timeout"),
    Row("dribbles interim answers beyond the deadline",
        floods(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.01), "timeout"),
    Row("dribbles blank lines beyond the deadline", floods(b"", b"\r\n", 0.01),
        ("timeout", "protocol")),
    Row("never sends the last chunk", says(chunked(b"3\r\nabc\r\n")), "timeout", reused=False),
    Row("never sends the rest of the body", says(STARTED), "timeout", reused=False),
    Row("never sends the end of the headers", says(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"), "timeout",
        reused=False),
    Row("never sends the blank line after the last chunk", says(chunked(LAST[:3])), "timeout",
        reused=False),
)  # fmt: skip

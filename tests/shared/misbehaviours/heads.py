"""What a server says before the body: status lines, headers, interim answers, other protocols."""

from __future__ import annotations

from misbehaviours.row import (
    OK,
    Row,
    floods,
    head,
    lengthy,
    says,
    says_and_closes,
)

MANY = b"".join(b"X-%d: y\r\n" % n for n in range(10_000))
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"


def status(line: bytes) -> bytes:
    """An empty answer with this status line."""
    return lengthy(b"", status=line)


def header(line: bytes) -> bytes:
    """A good answer with this line among its headers."""
    return lengthy(b"ok", b"X-A: b", line)


OTHER_PROTOCOLS = (
    Row("is an SSH server", says(b"SSH-2.0-OpenSSH_9.6\r\n"), ("protocol", "timeout")),
    Row("is an SMTP server", says(b"220 mail.example ESMTP\r\n500 unrecognized command\r\n"),
        "protocol"),
    Row("is an FTP server that hangs up", says_and_closes(b"220 ready\r\n"), "protocol"),
    Row("speaks HTTP/2 at once",
        says(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00\x03\x00\x00\x00\x80" * 3),
        "protocol"),
    Row("answers with the preface of HTTP/2", says(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        "protocol"),
    Row("answers with a request", says(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), "protocol"),
    Row("sends the request back", says(b"POST / HTTP/1.1\r\nwebhook-id: a\r\n\r\na=1"),
        "protocol"),
    Row("answers with binary garbage", says(bytes(range(256)) * 4), "protocol"),
    Row("answers with zeros", says(bytes(1000)), "protocol"),
    Row("answers with an alert of TLS on a plain port", says_and_closes(b"\x15\x03\x01\0\2\2\x46"),
        "protocol"),
    Row("answers with words", says(b"hello?\r\n\r\n"), "protocol"),
    Row("speaks HTTP/0.9", says_and_closes(b"<html>ok</html>"), "protocol"),
    Row("answers as SHOUTcast does", says(b"ICY 200 OK\r\nicy-name: x\r\n\r\n"), "protocol"),
    Row("answers as RTSP does", says(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"), "protocol"),
)  # fmt: skip

STATUS_LINES = (
    Row("answers HTTP/1.0 with a length", says_and_closes(status(b"HTTP/1.0 200 OK")), 200,
        reused=False),
    Row("answers HTTP/1.0 without a length",
        says_and_closes(head(status=b"HTTP/1.0 200 OK") + b"abc"), 200, body=b"abc", reused=False),
    Row("answers HTTP/1.0, offers no keep-alive and does not close",
        says(lengthy(b"ok", status=b"HTTP/1.0 200 OK")), 200, body=b"ok", reused=False),
    Row("answers HTTP/1.0 with keep-alive",
        says(lengthy(b"ok", b"Connection: keep-alive", status=b"HTTP/1.0 200 OK")), 200,
        body=b"ok"),
    Row("answers HTTP/2.0", says(status(b"HTTP/2.0 200 OK")), "protocol"),
    Row("answers HTTP/3.0", says(status(b"HTTP/3.0 200 OK")), "protocol"),
    Row("answers HTTP/1.2", says(status(b"HTTP/1.2 200 OK")), ("protocol", 200)),
    Row("answers HTTP/9.9", says(status(b"HTTP/9.9 200 OK")), "protocol"),
    Row("answers HTTP/1", says(status(b"HTTP/1 200 OK")), "protocol"),
    Row("answers HTTP/1.1.1", says(status(b"HTTP/1.1.1 200 OK")), "protocol"),
    Row("writes http/1.1 in lower case", says(status(b"http/1.1 200 OK")), "protocol"),
    Row("answers with status 99", says(status(b"HTTP/1.1 99 Word")), "protocol"),
    Row("answers with status 000", says(status(b"HTTP/1.1 000 Word")), "protocol"),
    Row("answers with status 600", says(status(b"HTTP/1.1 600 Word")), ("protocol", 600), "retry"),
    Row("answers with status 999", says(status(b"HTTP/1.1 999 Word")), ("protocol", 999), "retry"),
    Row("answers with status 1000", says(status(b"HTTP/1.1 1000 Word")), "protocol"),
    Row("answers with status 20", says(status(b"HTTP/1.1 20 Word")), "protocol"),
    Row("answers with status -200", says(status(b"HTTP/1.1 -200 Word")), "protocol"),
    Row("answers with status +200", says(status(b"HTTP/1.1 +200 Word")), "protocol"),
    Row("answers with status 2OO", says(status(b"HTTP/1.1 2OO Word")), "protocol"),
    Row("answers with status 200.5", says(status(b"HTTP/1.1 200.5 Word")), "protocol"),
    Row("answers without a status", says(status(b"HTTP/1.1 ")), "protocol"),
    Row("leaves the reason out", says(status(b"HTTP/1.1 200 ")), 200, reused=True),
    Row("leaves the reason and its space out", says(status(b"HTTP/1.1 200")), 200, reused=True),
    Row("gives a reason that is no ASCII", says(status(b"HTTP/1.1 200 D\xe9j\xe0 \xff")), 200),
    Row("gives a reason of 1 MB", says(status(b"HTTP/1.1 200 " + b"O" * 1_000_000)), "protocol"),
    Row("never ends its reason", floods(b"HTTP/1.1 200 ", b"O" * 1000), "protocol"),
    Row("puts NUL into the reason", says(status(b"HTTP/1.1 200 O\0K")), ("protocol", 200)),
    Row("puts two spaces before the status", says(status(b"HTTP/1.1  200 OK")), "protocol"),
    Row("puts a tab before the status", says(status(b"HTTP/1.1\t200 OK")), "protocol"),
    Row("puts a blank line before the answer", says(b"\r\n" + OK), (200, "protocol")),
    Row("puts a space before the answer", says(b" " + OK), "protocol"),
    Row("sends blank lines for ever", floods(b"", b"\r\n" * 500), "protocol"),
)  # fmt: skip

HEADERS = (
    Row("ends lines with LF alone", says(OK.replace(b"\r\n", b"\n")), (200, "protocol")),
    Row("ends lines with CR alone", says(OK.replace(b"\r\n", b"\r")), "protocol"),
    Row("folds a header over two lines", says(header(b"X-B: c\r\n  d")), (200, "protocol")),
    Row("begins its headers with a folded line", says(lengthy(b"ok", b" X-B: c")),
        (200, "protocol")),
    Row("puts a space before a colon", says(header(b"X-B : c")), "protocol"),
    Row("sends a header without a colon", says(header(b"nonsense")), "protocol"),
    Row("sends a header without a name", says(header(b": c")), "protocol"),
    Row("sends a header without a value", says(header(b"X-B:")), 200, body=b"ok", reused=True),
    Row("puts NUL into a header", says(header(b"X-B: c\0d")), "protocol"),
    Row("puts a bare CR into a header", says(header(b"X-B: c\rX-C: d")), "protocol"),
    Row("puts control characters into a header", says(header(b"X-B: c\x01\x1b[31m")),
        (200, "protocol")),
    Row("puts bytes that are no ASCII into a header", says(header(b"X-B: caf\xe9 \xff")), 200,
        body=b"ok"),
    Row("names a header in UTF-8", says(header("X-É: c".encode())), "protocol"),
    Row("sends a header of 100 kB", says(header(b"X-B: " + b"y" * 100_000)), "protocol"),
    Row("never ends a header", floods(b"HTTP/1.1 200 OK\r\nX-B: ", b"y" * 1000), "protocol"),
    Row("never ends the name of a header", floods(b"HTTP/1.1 200 OK\r\n", b"y" * 1000),
        "protocol"),
    Row("never ends its headers", floods(b"HTTP/1.1 200 OK\r\n", b"X-A: y\r\n" * 100), "protocol"),
    Row("sends 10,000 headers", says(b"HTTP/1.1 200 OK\r\n" + MANY + b"\r\n"), "protocol"),
    Row("sends 100 headers", says(lengthy(b"ok", *(b"X-%d: y" % n for n in range(99)))), 200,
        body=b"ok", reused=True),
    Row("sends one header 100 times", says(lengthy(b"ok", *([b"X-A: y"] * 99))), 200, body=b"ok",
        reused=True),
    Row("sends no header at all", says_and_closes(head()), 200, body=b"", reused=False),
)  # fmt: skip

INTERIM = (
    Row("says 100 before the answer, unasked", says(CONTINUE, OK), 200, body=b"ok", reused=True),
    Row("says 103 before the answer", says(HINTS + HINTS + OK), 200, body=b"ok", reused=True),
    Row("says 102 ten times before the answer",
        says(b"HTTP/1.1 102 Processing\r\n\r\n" * 10 + OK), 200, body=b"ok", reused=True),
    Row("gives an interim answer a length", says(
        b"HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\n" + OK), (200, "protocol")),
    Row("gives an interim answer a body", says(
        b"HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nhi" + OK), ("protocol", "closed")),
    Row("says 100 and closes", says_and_closes(CONTINUE), "closed"),
    Row("says 100 and nothing more", says(CONTINUE), "timeout", reused=False),
    Row("says 100 for ever", floods(b"", CONTINUE * 40), "protocol"),
    Row("says 103 for ever", floods(b"", HINTS * 40), "protocol"),
    Row("says 101 and speaks something else",
        says(head(b"Upgrade: websocket", b"Connection: Upgrade",
                  status=b"HTTP/1.1 101 Switching Protocols") + b"\x81\x02hi"),
        "protocol", reused=False),
    Row("says 101 and nothing more", says(head(status=b"HTTP/1.1 101 Switching Protocols")),
        "protocol", reused=False),
)  # fmt: skip

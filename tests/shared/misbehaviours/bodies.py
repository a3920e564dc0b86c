"""What a server says of its body, and what then comes."""

from __future__ import annotations

import gzip

from misbehaviours.row import (
    CAP,
    LAST,
    OK,
    Row,
    chunked,
    floods,
    head,
    lengthy,
    says,
    says_and_closes,
)

HELLO = b"5\r\nhello\r\n"
BOMB = gzip.compress(bytes(50_000_000))
"""50 kB that would be 50 MB."""


def length(value: bytes, body: bytes = b"ok") -> bytes:
    """An answer that says this of its length."""
    return head(b"Content-Length: " + value) + body


def coded(value: bytes, body: bytes = HELLO + LAST) -> bytes:
    """An answer that says this of its transfer coding."""
    return head(b"Transfer-Encoding: " + value) + body


LENGTHS = (
    Row("says the same length twice",
        says(head(b"Content-Length: 2", b"Content-Length: 2") + b"ok"), (200, "protocol")),
    Row("says the same length twice in one header", says(length(b"2, 2")), (200, "protocol")),
    Row("says two lengths", says(head(b"Content-Length: 2", b"Content-Length: 5") + b"ok"),
        "protocol"),
    Row("says two lengths in one header", says(length(b"2, 5")), "protocol"),
    Row("says a negative length", says(length(b"-1")), "protocol"),
    Row("says a length with a plus", says(length(b"+2")), "protocol"),
    Row("says a length in hexadecimal", says(length(b"0x2")), "protocol"),
    Row("says a length with an underscore", says(length(b"1_0", b"0123456789")), "protocol"),
    Row("says a length with a fraction", says(length(b"2.0")), "protocol"),
    Row("says a length with a space in it", says(length(b"1 0", b"0123456789")), "protocol"),
    Row("says an empty length", says(length(b"")), "protocol"),
    Row("says a length in words", says(length(b"two")), "protocol"),
    Row("says a length in other digits", says(length("٢".encode())), "protocol"),
    Row("says a length of 2 to the 64th", says(length(b"18446744073709551616")), "protocol"),
    Row("says a length of 1,000 digits", says(length(b"9" * 1000)), "protocol"),
    Row("says a length with leading zeros", says(length(b"0000000002")), 200, body=b"ok",
        reused=True),
    Row("says a length of 4 GiB and hangs up", says_and_closes(length(b"4294967296")), "closed"),
    Row("says a length of 8 EiB and sends on", floods(length(b"9223372036854775807"), b"x" * 8192),
        200, body=(b"ok" + b"x" * 4094), reused=False),
    Row("puts a space before the colon of a length, and sends less",
        says_and_closes(head(b"Content-Length : 9") + b"ok"), ("closed", "protocol")),
    Row("says more than it sends, and closes", says_and_closes(length(b"9")), "closed"),
    Row("sends more than it says", says(length(b"2", b"ok and more")), 200, body=b"ok",
        reused=False),
    Row("sends more than it says, a moment later", says(length(b"2"), b" and more"), 200,
        body=b"ok", reused=False),
)  # fmt: skip

CODINGS = (
    Row("says both a length and chunks",
        says(head(b"Content-Length: 5", b"Transfer-Encoding: chunked") + HELLO + LAST),
        "protocol"),
    Row("says chunks, and then a length",
        says(head(b"Transfer-Encoding: chunked", b"Content-Length: 5") + HELLO + LAST),
        "protocol"),
    Row("says Transfer-Encoding: identity", says_and_closes(coded(b"identity", b"abc")),
        (200, "protocol"), reused=False),
    Row("says Transfer-Encoding: gzip", says_and_closes(coded(b"gzip", b"abc")),
        (200, "protocol"), reused=False),
    Row("says Transfer-Encoding: gzip, chunked", says(coded(b"gzip, chunked")),
        (200, "protocol")),
    Row("says Transfer-Encoding: chunked, gzip", says_and_closes(coded(b"chunked, gzip")),
        (200, "protocol"), reused=False),
    Row("says chunked twice", says(coded(b"chunked, chunked")), (200, "protocol")),
    Row("says xchunked", says_and_closes(coded(b"xchunked")), (200, "protocol"), reused=False),
    Row("says chunked behind a vertical tab", says_and_closes(coded(b"\x0bchunked")),
        (200, "protocol"), reused=False),
    Row("says CHUNKED", says(coded(b"CHUNKED")), 200, body=b"hello", reused=True),
    Row("says chunked with parameters", says_and_closes(coded(b"chunked;q=1")),
        (200, "protocol"), reused=False),
    Row("puts a space before the colon of a coding, and sends half a chunk",
        says_and_closes(head(b"Transfer-Encoding : chunked") + b"9\r\nok"),
        ("closed", "protocol")),
    Row("says chunked in HTTP/1.0",
        says_and_closes(head(b"Transfer-Encoding: chunked", status=b"HTTP/1.0 200 OK") + HELLO
                        + LAST), (200, "protocol"), reused=False),
)  # fmt: skip

CHUNKS = (
    Row("gives a chunk a size that is none", says(chunked(b"zz\r\nhello\r\n", LAST)), "protocol"),
    Row("gives a chunk a negative size", says(chunked(b"-5\r\nhello\r\n", LAST)), "protocol"),
    Row("gives a chunk a size with a plus", says(chunked(b"+5\r\nhello\r\n", LAST)), "protocol"),
    Row("gives a chunk a size of 0x5", says(chunked(b"0x5\r\nhello\r\n", LAST)), "protocol"),
    Row("gives a chunk a size with an underscore",
        says(chunked(b"0_5\r\nhello\r\n", LAST)), "protocol"),
    Row("gives a chunk no size", says(chunked(b"\r\nhello\r\n", LAST)), "protocol"),
    Row("gives a chunk a size with leading zeros",
        says(chunked(b"000000005\r\nhello\r\n", LAST)), 200, body=b"hello", reused=True),
    Row("gives a chunk a size of 20 digits", says(chunked(b"F" * 20 + b"\r\nhello\r\n", LAST)),
        "protocol"),
    Row("gives a chunk a size of 4 GiB and hangs up",
        says_and_closes(chunked(b"100000000\r\nhello")), "closed"),
    Row("puts a space behind the size of a chunk", says(chunked(b"5 \r\nhello\r\n", LAST)),
        (200, "protocol")),
    Row("puts a space before the size of a chunk", says(chunked(b" 5\r\nhello\r\n", LAST)),
        "protocol"),
    Row("sends a chunk longer than its size", says(chunked(b"3\r\nhello\r\n", LAST)), "protocol"),
    Row("sends a chunk shorter than its size", says(chunked(b"9\r\nhello\r\n", LAST, b"abc")),
        ("protocol", "timeout")),
    Row("leaves out the line end behind a chunk", says(chunked(b"5\r\nhello", LAST)), "protocol"),
    Row("ends the lines of chunks with LF", says(chunked(b"5\nhello\n0\n\n")),
        ("protocol", "timeout")),
    Row("gives chunks extensions", says(chunked(b'5;a=b;c="d"\r\nhello\r\n', b"0;e\r\n\r\n")), 200,
        body=b"hello", reused=True),
    Row("hides a line end in an extension of a chunk",
        says(chunked(b'5;a="\n"\r\nhello\r\n', LAST)), "protocol"),
    Row("never ends an extension of a chunk", floods(chunked(b"5;a="), b"x" * 1000), "protocol"),
    Row("never ends the size of a chunk", floods(chunked(), b"0" * 1000), "protocol"),
    Row("sends single-byte chunks for ever", floods(chunked(), b"1\r\nx\r\n" * 200), 200,
        body=b"x" * 4096, reused=False),
    Row("sends single-byte chunks with long extensions for ever",
        floods(chunked(), b"1;a=" + b"y" * 8000 + b"\r\nx\r\n"), ("protocol", 200), reused=False),
    Row("sends trailers", says(chunked(HELLO, b"0\r\nX-A: b\r\n\r\n")), 200, body=b"hello",
        reused=True),
    Row("sends a length among the trailers",
        says(chunked(HELLO, b"0\r\nContent-Length: 999\r\n\r\n")), (200, "protocol")),
    Row("sends a coding among the trailers",
        says(chunked(HELLO, b"0\r\nTransfer-Encoding: chunked\r\n\r\n")), (200, "protocol")),
    Row("sends a status line among the trailers", says(chunked(HELLO, b"0\r\n" + OK)),
        ("protocol", 200)),
    Row("sends garbage as trailers", says(chunked(HELLO, b"0\r\n\x00\xff nonsense\r\n\r\n")),
        "protocol"),
    Row("sends a trailer of 100 kB",
        says(chunked(HELLO, b"0\r\nX-A: " + b"y" * 100_000 + b"\r\n\r\n")), (200, "protocol")),
    Row("never ends its trailers", floods(chunked(HELLO, b"0\r\n"), b"X-A: y\r\n" * 100),
        "protocol"),
    Row("sends chunks behind the last chunk", says(chunked(HELLO, LAST, HELLO, LAST)), 200,
        body=b"hello", reused=False),
)  # fmt: skip

BODIES = (
    Row("never ends a body without length", floods(head(), b"x" * 8192), 200, body=b"x" * 4096,
        reused=False),
    Row("never ends a body of chunks", floods(chunked(), b"1000\r\n" + b"x" * 4096 + b"\r\n"), 200,
        body=b"x" * 4096, reused=False),
    Row("sends as much as may be read", says(lengthy(b"x" * CAP)), 200, body=b"x" * 4096),
    Row("sends 10 MB", says(lengthy(b"x" * 10_000_000)), 200, body=b"x" * 4096, reused=False),
    Row("sends a bomb of gzip", says(lengthy(BOMB, b"Content-Encoding: gzip")), 200,
        body=BOMB[:4096]),
    Row("sends broken gzip", says(lengthy(b"\x1f\x8b\x08broken", b"Content-Encoding: gzip")), 200,
        body=b"\x1f\x8b\x08broken", reused=True),
    Row("calls plain text brotli", says(lengthy(b"plain", b"Content-Encoding: br")), 200,
        body=b"plain", reused=True),
    Row("sends a body with 204",
        says(head(status=b"HTTP/1.1 204 No Content") + b"hello"), 204, body=b"", reused=False),
    Row("says a length with 204 and sends no body",
        says(head(b"Content-Length: 5", status=b"HTTP/1.1 204 No Content")), 204, body=b""),
    Row("says a length with 204 and sends the body",
        says(lengthy(b"hello", status=b"HTTP/1.1 204 No Content")), 204, body=b"", reused=False),
    Row("sends chunks with 204",
        says(head(b"Transfer-Encoding: chunked", status=b"HTTP/1.1 204 No Content") + HELLO
             + LAST), (204, "protocol"), reused=False),
    Row("sends a body with 304",
        says(lengthy(b"hello", status=b"HTTP/1.1 304 Not Modified")), 304, "dead", body=b"",
        reused=False),
    Row("says a length with 304 and sends no body",
        says(head(b"Content-Length: 5", status=b"HTTP/1.1 304 Not Modified")), 304, "dead",
        body=b""),
    Row("sends a body with 205", says(lengthy(b"hello", status=b"HTTP/1.1 205 Reset Content")),
        205, reused=None),
    Row("gives a type that is none and a charset that is none",
        says(lengthy(b"\xff\xfe", b"Content-Type: text/\x80; charset=nonsense")), 200,
        body=b"\xff\xfe"),
)  # fmt: skip

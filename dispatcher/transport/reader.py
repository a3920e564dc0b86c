"""Bytes of a server to an answer, whatever they are. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from dispatcher.transport import KEPT_BODY
from dispatcher.transport.known_heads import KnownHead, head_end, known, remember

HEAD_LIMIT = 32 * 1024
"""Bytes of the head of the final answer; the same for all interim ones together."""
FIELDS_LIMIT = 128
"""Header fields, counted likewise."""
FRAMING_LIMIT = 32 * 1024
"""Bytes between two pieces of body that are none of it: chunk extensions, trailers."""

_OPENING = b"HTTP/1."

_Fields = list[tuple[bytes, bytes]]


class NotHttp(Exception):
    """What came is no answer that we take; the text is for people."""


class Incomplete(Exception):
    """The connection ended where more had to come."""


class AnswerReader:
    """Reads the answers of one connection, one after the other: `begin`, `feed` until it says that
    the answer is complete, then `take`."""

    __slots__ = (
        "_body_read", "_cap", "_clock", "_fields", "_head_done", "_head_only", "_head_size",
        "_headers", "_in_chunks", "_interim", "_interim_fields", "_interim_size", "_kept",
        "_opening", "_parser", "_size", "_to_the_end", "_unproductive", "complete",
        "first_byte_at", "known", "reusable", "started", "status",
    )  # fmt: skip

    def __init__(self, cap: int, clock: Callable[[], float]) -> None:
        """`cap`: bytes of a body, counted with what cuts it into chunks, after which the rest is
        not read; `clock` gives seconds."""
        self._cap = cap
        self._clock = clock
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        # As browsers, curl and aiohttp do: sloppy servers are not the customer's to mend.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self.complete = True
        self.reusable = False
        """Whether the connection is ready for another request."""
        self.started = False
        """Whether any byte came of the answer or an interim one."""
        self.first_byte_at = 0.0
        """When the final answer began, by the clock; 0 before."""
        self.status = 0
        self.known: KnownHead | None = None
        """The head of the complete answer, if it is one that may come again."""
        self._headers: dict[str, str] = {}
        self._fields: _Fields = []
        self._kept = b""
        self._interim = False

    def begin(self, head_only: bool) -> None:
        """A request was sent; with `head_only` its answer has no body whatever it says."""
        self._head_only = head_only
        self.complete = self.started = self.reusable = False
        self._head_done = self._interim = self._to_the_end = self._in_chunks = False
        self._head_size = self._interim_size = self._interim_fields = 0
        self._size = self._unproductive = self._body_read = 0
        self._opening: bytes | None = b""
        self.first_byte_at = 0.0
        self.known = None

    def take(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and the first 4 KiB of the body of the complete answer. Once only: a
        connection that is kept holds on to nothing of it."""
        headers, kept = self._headers, self._kept
        self._headers, self._kept, self._fields = {}, b"", []
        return self.status, headers, kept

    def feed(self, data: bytes) -> bool:
        """Whether the answer is complete now. Raises `NotHttp`."""
        if self.started or self._head_only:
            return self._parse(data)
        end = head_end(data)
        if end and self._is_known(data, end):
            return True
        complete = self._parse(data)
        if end and complete and self.reusable:
            self._remember(data, end)
        return complete

    def _is_known(self, data: bytes, end: int) -> bool:
        """Whether this is all of an answer whose head is known; then it needs no parser, which is
        between two messages before it and after it."""
        head = known(data[:end])
        if head is None or len(data) - end != head.body_size or head.body_size > self._cap:
            return False
        self.started = self.complete = self.reusable = True
        self.first_byte_at = self._clock()
        self.known = head
        self.status = head.status
        self._headers = head.headers
        self._kept = data[end : end + KEPT_BODY]
        return True

    def _remember(self, data: bytes, end: int) -> None:
        """Keep the head of an answer that came as a whole: what tells of its body is a length, and
        nothing stood before it, so the next that begins with these bytes is read in the same way.
        """
        body_size = len(data) - end
        if (
            self._size == body_size
            and self._kept == data[end : end + KEPT_BODY]  # lines may also end otherwise
            and not self._interim_size
            and not self._in_chunks
        ):
            self.known = KnownHead(self.status, self._headers, body_size)
            remember(data[:end], self.known)

    def _parse(self, data: bytes) -> bool:
        self.started = True
        in_body, size = self._head_done, self._size
        if in_body:
            self._body_read += len(data)
        else:
            self._head_size += len(data)
            if self._opening is not None:
                self._open(data)
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            # What follows a complete answer spoils the connection, not the answer.
            self.reusable = False
            if not self.complete:
                raise _not_http(error) from None
        if not self.complete:
            self._check_sizes(data, size if in_body else None)
        return self.complete

    def _check_sizes(self, data: bytes, size: int | None) -> None:
        """Give up an answer of which too much came with `data`; `size`: of the body before it,
        None if it had not begun."""
        if not self._head_done:
            limit = HEAD_LIMIT if not self._interim_size else 2 * HEAD_LIMIT
            if self._head_size > limit:
                raise NotHttp(f"the head of the answer is longer than {HEAD_LIMIT:,} bytes")
        elif size is None:  # what ends the head may hold much of the body
            self._body_read = self._size
            if self._in_chunks:
                heads = head_size(self._headers.items()) + self._interim_size
                self._body_read = max(0, self._head_size - heads)
                self._unproductive = 0 if self._size else self._body_read
        elif self._size == size:
            self._unproductive += len(data)
        else:
            self._unproductive = 0
        if self._unproductive > FRAMING_LIMIT:
            raise NotHttp(f"more than {FRAMING_LIMIT:,} bytes of chunk headers or trailers")
        if self._body_read > self._cap:  # most of it headers of chunks
            self.complete = True
            self.reusable = False

    def _open(self, data: bytes) -> None:
        """The parser would take RTSP and HTTP/2.0 in words."""
        assert self._opening is not None
        self._opening = (self._opening + data).lstrip(b"\r\n")[: len(_OPENING)]
        if len(self._opening) == len(_OPENING):
            if self._opening != _OPENING:
                raise NotHttp("the answer is no HTTP/1.0 or 1.1")
            self._opening = None

    def end(self) -> None:
        """No more comes. Raises `Incomplete` unless that is how the answer ends."""
        if not (self._head_done and self._to_the_end):
            where = "its body" if self._head_done else "its head" if self.started else "it began"
            raise Incomplete(
                "the server closed the connection"
                + (f" in the middle of the answer, in {where}" if self.started else "")
            )
        self.complete = True
        self.reusable = False

    def release(self) -> None:
        """Nothing is read any more. Parser and reader hold each other."""
        self._parser = None

    # Called by the parser. What it raises here ends the parsing, with `feed` raising NotHttp.

    def on_message_begin(self) -> None:
        """A status line; a second one after the answer is nothing that we asked for."""
        if self.complete:
            self.reusable = False
        else:
            self.first_byte_at = self._clock()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of a head, or of the trailers."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """The end of a head, interim or final."""
        if self.complete:
            return
        assert self._parser is not None
        fields, self._fields = self._fields, []
        status = self._parser.get_status_code()
        if status < 200:
            self._on_interim(status, fields)
            return
        self.status = status
        self._head_done = True
        # The parser takes `Content-Length : 300` for a length, so it must count as one here.
        names = [name.strip(b" \t").lower() for name, _ in fields]
        self._check(len(fields), head_size(fields) if self._head_size > HEAD_LIMIT else 0)
        if status not in (204, 304):
            self._to_the_end = b"content-length" not in names
            if b"transfer-encoding" in names:
                self._in_chunks = True
                codings = b",".join(
                    value
                    for name, (_, value) in zip(names, fields, strict=True)
                    if name == b"transfer-encoding"
                )
                last = codings.rpartition(b",")[2].strip(b" \t").lower()
                self._to_the_end = last != b"chunked"
        if len(set(names)) == len(names):
            self._headers = {
                str(name, "latin-1"): str(value, "utf-8", "surrogateescape")
                for name, value in fields
            }
        else:
            self._headers = joined(fields)
        if b"\0" in b"".join([value for _, value in fields]):
            raise NotHttp("a header of the answer holds NUL")
        if self._head_only:
            # The parser would wait for the body that is announced and does not come.
            self.complete = True
            self.reusable = False

    def _on_interim(self, status: int, fields: _Fields) -> None:
        if status == 101 or status < 100:
            raise NotHttp(f"the server answered {status}, which nobody asked for")
        self._interim = True
        self._interim_fields += len(fields)
        self._interim_size += head_size(fields)
        self._check(self._interim_fields, self._interim_size)

    def _check(self, fields: int, size: int) -> None:
        if fields > FIELDS_LIMIT:
            raise NotHttp(f"the answer has more than {FIELDS_LIMIT} headers")
        if size > HEAD_LIMIT:
            raise NotHttp(f"the head of the answer is longer than {HEAD_LIMIT:,} bytes")

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self.complete:
            return
        kept = len(self._kept)
        if kept < KEPT_BODY:
            self._kept += data[: KEPT_BODY - kept]
        self._size += len(data)
        if self._size > self._cap:
            self.complete = True

    def on_message_complete(self) -> None:
        """The end of an answer, interim or final."""
        if self._interim:
            self._interim = False
            self.first_byte_at = 0.0
        elif not self.complete:
            assert self._parser is not None
            self.complete = True
            self.reusable = self._parser.should_keep_alive()


def joined(fields: _Fields) -> dict[str, str]:
    """Headers of which some are repeated: joined by a comma, under the first name as it came."""
    names: dict[bytes, str] = {}
    headers: dict[str, str] = {}
    for raw, value in fields:
        name = names.setdefault(raw.lower(), str(raw, "latin-1"))
        text = str(value, "utf-8", "surrogateescape")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def head_size(fields: Iterable[tuple[Sized, Sized]]) -> int:
    """Bytes that a head with these fields, names and values, has at least."""
    return sum(len(name) + len(value) + 4 for name, value in fields) + 15  # "HTTP/1.1 200 \r\n"


def _not_http(error: Exception) -> NotHttp:
    if isinstance(error, HttpParserUpgrade):
        return NotHttp("the server changes to another protocol")
    if isinstance(error.__context__, NotHttp):
        return error.__context__
    return NotHttp(f"the answer is no HTTP: {error}")

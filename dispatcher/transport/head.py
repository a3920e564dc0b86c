"""The head of a request as bytes. Nothing in it can end a line early."""

from __future__ import annotations

from functools import lru_cache

from librt.strings import BytesWriter

from dispatcher.request import OutlinedRequest, Request
from dispatcher.shared_headers import SharedHeaders
from dispatcher.transport import TransportError
from dispatcher.transport.origin import Origin, Place, check_name

_WITHOUT_LENGTH = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that say nothing of a body when they have none."""


def head(request: Request, origin: Origin, target: str) -> bytes:
    """Request line and headers, up to and with the empty line; `target` as `Origins` gives it.

    Raises `TransportError` where the method or a header cannot be sent as it is.
    """
    method, body = request.method, request.body
    parts = [check_name(method), " ", target, origin.host_line, _lines(request.own_headers),
             _lines(request.shared.headers)]  # fmt: skip
    if body is not None or method not in _WITHOUT_LENGTH:
        parts.append(f"Content-Length: {len(body or b'')}\r\n")
    parts.append("\r\n")
    return "".join(parts).encode("ascii")


def outlined_head(request: OutlinedRequest, place: Place) -> bytes:
    """The same of an action's request: what it adds to its outline was made to stand in a head."""
    out = BytesWriter()
    if request.filled:
        out.write(place.start)
        out.write(request.filled)
    else:
        out.write(place.line)
    out.write(place.origin.host_bytes)
    request.tried.lines(out)
    out.write(_shared_lines(request.shared))
    body = request.body
    if body is not None or request.method not in _WITHOUT_LENGTH:
        out.write(b"Content-Length: %d\r\n" % len(body or b""))
    out.write(b"\r\n")
    return out.getvalue()


def _lines(headers: dict[str, str]) -> str:
    text = "".join([f"{check_name(name)}: {value}\r\n" for name, value in headers.items()])
    # As many line ends as lines were written: so no value brought one along.
    if text.count("\r") != len(headers) or text.count("\n") != len(headers) or "\0" in text:
        raise TransportError("protocol", "a header holds a line break or NUL")
    if not text.isascii():
        raise TransportError("protocol", "a header holds what is not ASCII")
    return text


@lru_cache(maxsize=65_536)
def _shared_lines(shared: SharedHeaders) -> bytes:
    return _lines(shared.headers).encode()

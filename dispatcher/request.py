"""A request as it goes over the wire, and why there may be none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from librt.strings import BytesWriter

from dispatcher.shared_headers import NONE_SHARED, SharedHeaders
from schemas.binary import Writer


class Unsendable(ValueError):
    """No request can be made of this dispatch; trying again does not help, but for `sealed`.

    `error` is its class, one of `outcome.Error`.
    """

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error


@dataclass(frozen=True)
class Tls:
    """How the server proves who it is, and how we do; all PEM. Connections are kept apart by it."""

    verify: bool = True
    ca: str = ""
    """Trusted instead of the system's authorities."""
    client_certificate: str = ""
    client_key: str = field(default="", repr=False)


DEFAULT_TLS = Tls()


class TryHeaders:
    """The headers that tell of one try, ASCII without line breaks, in this order."""

    def __init__(
        self, dispatch_id: bytes, timestamp: bytes, attempt: bytes, traceparent: bytes
    ) -> None:
        self.dispatch_id = dispatch_id
        self.timestamp = timestamp
        """Seconds since 1970."""
        self.attempt = attempt
        self.traceparent = traceparent
        """Empty where the action has its own."""
        self.signature = b""
        """Empty where the action has no signing secrets."""

    def lines(self, out: BytesWriter) -> None:
        """Append them as they go over the wire."""
        out.write(b"webhook-id: ")
        out.write(self.dispatch_id)
        out.write(b"\r\nwebhook-timestamp: ")
        out.write(self.timestamp)
        out.write(b"\r\nwebhook-attempt: ")
        out.write(self.attempt)
        if self.traceparent:
            out.write(b"\r\ntraceparent: ")
            out.write(self.traceparent)
        if self.signature:
            out.write(b"\r\nwebhook-signature: ")
            out.write(self.signature)
        out.write(b"\r\n")

    def block(self, out: Writer) -> None:
        """Append them as a block of an Avro map of strings."""
        out.number(3 + (1 if self.traceparent else 0) + (1 if self.signature else 0))
        out.raw(b"\x14webhook-id")
        out.piece(self.dispatch_id)
        out.raw(b"\x22webhook-timestamp")
        out.piece(self.timestamp)
        out.raw(b"\x1ewebhook-attempt")
        out.piece(self.attempt)
        if self.traceparent:
            out.raw(b"\x16traceparent")
            out.piece(self.traceparent)
        if self.signature:
            out.raw(b"\x22webhook-signature")
            out.piece(self.signature)

    def headers(self) -> dict[str, str]:
        """By name."""
        found = {
            "webhook-id": self.dispatch_id.decode(),
            "webhook-timestamp": self.timestamp.decode(),
            "webhook-attempt": self.attempt.decode(),
        }
        if self.traceparent:
            found["traceparent"] = self.traceparent.decode()
        if self.signature:
            found["webhook-signature"] = self.signature.decode()
        return found


class Request:
    """What goes over the wire. The URL is encoded; nothing may encode it again."""

    def __init__(
        self,
        method: str,
        url: str,
        own_headers: dict[str, str],
        body: bytes | None,
        tls: Tls = DEFAULT_TLS,
        shared: SharedHeaders = NONE_SHARED,
    ) -> None:
        """`own_headers`: those of this one, without secrets; none is among the `shared` too."""
        self.method = method
        self._url = url
        self._own_headers = own_headers
        self.body = body
        self.tls = tls
        self.shared = shared

    @property
    def url(self) -> str:
        """All of it."""
        return self._url

    @property
    def own_headers(self) -> dict[str, str]:
        """Those of this one."""
        return self._own_headers

    @property
    def headers(self) -> dict[str, str]:
        """All of them."""
        return {**self.own_headers, **self.shared.headers}

    @property
    def shown_headers(self) -> dict[str, str]:
        """All of them, secrets masked."""
        return {**self.own_headers, **self.shared.shown}


class Outline:
    """What all requests of an action have in common."""

    def __init__(self, method: str, url: str, joint: str, tls: Tls, shared: SharedHeaders) -> None:
        """`joint` stands between the URL and what is filled into it; empty where nothing is."""
        self.method = method
        self.url = url
        self.joint = joint
        self.tls = tls
        self.shared = shared
        self.start = (url + joint).encode()
        """Of the URL of a request into which something is filled."""
        self.has_own_trace = "traceparent" in shared.headers


_NO_HEADERS: Final[dict[str, str]] = {}


class OutlinedRequest(Request):
    """A request of an action: its own parts are bytes, and become text only if somebody asks."""

    def __init__(
        self, outline: Outline, filled: bytes, body: bytes | None, tried: TryHeaders
    ) -> None:
        """`filled`: the end of the query, percent-encoded."""
        super().__init__(outline.method, "", _NO_HEADERS, body, outline.tls, outline.shared)
        self.outline = outline
        self.filled = filled
        self.tried = tried

    @property
    def url(self) -> str:
        return (self.outline.start + self.filled).decode() if self.filled else self.outline.url

    @property
    def own_headers(self) -> dict[str, str]:
        return self.tried.headers()

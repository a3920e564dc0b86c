"""Sending a request: the narrow port that deliveries, test-sends and their tests know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from dispatcher.outcome import Error
from dispatcher.request import Request

KEPT_BODY = 4096
"""Bytes of an answer's body that an attempt keeps."""


@dataclass(slots=True)
class Trace:
    """How a request went, as far as it came. Times are microseconds."""

    address: str = ""
    """That was dialled: `203.0.113.9:443`, `[2001:db8::1]:443`; also of a connection kept alive."""
    reused: bool = False
    """Sent over a connection that was kept alive; then the next three are None."""
    resent: bool = False
    """Sent again, over a new connection: the server had closed the kept one, and said nothing. It
    may have had the request all the same."""
    dns_us: int | None = None
    """None for an address in place of a host name."""
    connect_us: int | None = None
    tls_us: int | None = None
    first_byte_us: int | None = None
    """From the start of the try to the first byte of the final answer's head."""


@dataclass(slots=True)
class Answer:
    """What a server said. Not frozen, as `Request`."""

    status: int
    headers: dict[str, str]
    """Under the names as they came; repeated ones are joined by a comma."""
    body: bytes
    """The first 4 KiB."""
    trace: Trace = field(default_factory=Trace)


class TransportError(Exception):
    """No answer. `error` is its class, one of `outcome.Error`; the text is for people."""

    def __init__(self, error: Error, detail: str, trace: Trace | None = None) -> None:
        super().__init__(detail)
        self.error = error
        self.trace = trace or Trace()


Ended = Callable[[Answer | TransportError], None]
"""Is told what came of a request, once, on the event loop. It must not raise."""


class Transport(Protocol):
    """Sends requests. Safe for any number at once on one event loop."""

    def start(self, request: Request, ended: Ended) -> None:
        """`send` without waiting; `ended` is called when this has returned, never before."""

    async def send(self, request: Request) -> Answer:
        """The server's answer, whatever its status; no redirect is followed.

        Raises `TransportError` when none came within the deadline, or none that is HTTP.
        """

    async def close(self) -> None:
        """End all connections."""

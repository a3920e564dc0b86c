"""What a server said, and how it came to that."""

from __future__ import annotations

from dispatcher.outcome import Error
from dispatcher.transport.known_heads import KnownHead


class Trace:
    """How a request went, as far as it came. Times are microseconds."""

    def __init__(self, address: str = "", *, resent: bool = False) -> None:
        self.address = address
        """That was dialled: `203.0.113.9:443`, `[2001:db8::1]:443`; also of a connection kept
        alive."""
        self.reused = False
        """Sent over a connection that was kept alive; then the next three are None."""
        self.resent = resent
        """Sent again, over a new connection: the server had closed the kept one, and said nothing.
        It may have had the request all the same."""
        self.dns_us: int | None = None
        """None for an address in place of a host name."""
        self.connect_us: int | None = None
        self.tls_us: int | None = None
        self.first_byte_us: int | None = None
        """From the start of the try to the first byte of the final answer's head."""


class Answer:
    """What a server said."""

    def __init__(
        self,
        status: int,
        headers: dict[str, str],
        body: bytes,
        trace: Trace | None = None,
        known: KnownHead | None = None,
    ) -> None:
        self.status = status
        self.headers = headers
        """Under the names as they came; repeated ones are joined by a comma. Not to be changed."""
        self.body = body
        """The first 4 KiB."""
        self.trace = trace or Trace()
        self.known = known
        """Its head, where other answers have the same."""


class TransportError(Exception):
    """No answer. `error` is its class, one of `outcome.Error`; the text is for people."""

    def __init__(self, error: Error, detail: str, trace: Trace | None = None) -> None:
        super().__init__(detail)
        self.error = error
        self.trace = trace or Trace()

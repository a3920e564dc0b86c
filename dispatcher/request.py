"""A request as it goes over the wire, and why there may be none."""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatcher.shared_headers import NONE_SHARED, SharedHeaders


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
        self.url = url
        self.own_headers = own_headers
        self.body = body
        self.tls = tls
        self.shared = shared

    @property
    def headers(self) -> dict[str, str]:
        """All of them."""
        return {**self.own_headers, **self.shared.headers}

    @property
    def shown_headers(self) -> dict[str, str]:
        """All of them, secrets masked."""
        return {**self.own_headers, **self.shared.shown}

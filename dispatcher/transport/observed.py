"""aiohttp's connector and connections with eyes: they fill the trace of the request under way.

Its own `TraceConfig` tells nothing of addresses, TLS and first bytes, and costs 20 µs a request.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from dispatcher.hosts import literal
from dispatcher.transport import Trace
from dispatcher.transport.reader import FIELDS_LIMIT, HEAD_LIMIT, head_size


class Try:
    """One `send`, seen from within aiohttp."""

    def __init__(self, started_at: float) -> None:
        """`started_at` by `time.monotonic`."""
        self.started_at = started_at
        self.trace = Trace()
        self.received = False
        """Whether any byte of an answer came, interim ones included."""
        self.malformed = False
        """The connection was ended from this side, because what came is no HTTP."""
        self.only_fresh = False
        self._phase_began = started_at

    def again(self) -> None:
        """From the start, over a connection that nobody has used yet."""
        self.trace = Trace(resent=True)
        self.received = False
        self.only_fresh = True

    def begin_phase(self) -> None:
        """What `phase` counts from."""
        self._phase_began = time.monotonic()

    def phase(self) -> int:
        """Microseconds since the last phase ended; ends this one."""
        began, self._phase_began = self._phase_began, time.monotonic()
        return int((self._phase_began - began) * 1e6)

    def in_handshake(self, url: str) -> bool:
        """Whether TLS had begun and not stood yet."""
        return (
            url[:6].lower() == "https:"
            and self.trace.connect_us is not None
            and self.trace.tls_us is None
        )


under_way: ContextVar[Try] = ContextVar("under_way")


class Connector(aiohttp.TCPConnector):
    """Opens connections without a limit: the lanes limit what is in flight."""

    def __init__(self, resolver: AbstractResolver, idle_limit: float) -> None:
        """`idle_limit` in seconds."""
        super().__init__(
            limit=0,
            resolver=resolver,
            ttl_dns_cache=30,
            keepalive_timeout=idle_limit,
            socket_factory=_socket,
        )
        loop = asyncio.get_running_loop()
        self._factory = lambda: _Handler(loop)  # type: ignore[assignment]

    async def _get(self, *args: Any) -> Any:
        return None if under_way.get().only_fresh else await super()._get(*args)

    async def _resolve_host(self, host: str, *args: Any, **named: Any) -> Any:
        one = under_way.get()
        one.begin_phase()
        try:
            return await super()._resolve_host(host, *args, **named)
        finally:
            if literal(host) is None:
                one.trace.dns_us = one.phase()


def _socket(address: Any) -> socket.socket:
    """For an address that is about to be dialled; several are, where the first does not answer."""
    family, kind, protocol, _, (host, port, *_) = address
    one = under_way.get()
    one.trace.address = _shown(host, port)
    return socket.socket(family=family, type=kind, proto=protocol)


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Handler(ResponseHandler):
    """Made when TCP stands; `connection_made` is called when TLS does."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._try = under_way.get()
        self._try.trace.connect_us = self._try.phase()
        self._used = False
        self._address = ""
        self._began: float | None = None
        self._interim: list[tuple[bytes, bytes]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if peer := transport.get_extra_info("peername"):  # none where it was reset meanwhile
            self._address = _shown(*peer[:2])
        if transport.get_extra_info("sslcontext") is not None:
            self._try.trace.tls_us = self._try.phase()

    def set_response_params(self, **params: Any) -> None:
        """A request is about to be sent."""
        self._try = under_way.get()
        self._try.trace.address = self._address
        self._try.trace.reused, self._used = self._used, True
        self._began = None
        self._interim = []
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        self._try.received = True
        if self._began is None:
            self._began = time.monotonic()
        super().data_received(data)
        if self._parser is not None and self.transport is not None:
            self._try.malformed = self.transport.is_closing()

    def feed_data(self, data: Any, size: int = 0) -> None:
        """A head was read."""
        message = data[0]
        if message.code < 200 and message.code != 101:
            self._interim += message.raw_headers
            # Their own status line makes that of those without headers count.
            self._interim.append((b"", b"HTTP/1.1 100 Continue"))
            too_many = sum(1 for name, _ in self._interim if name) > FIELDS_LIMIT
            if too_many or head_size(self._interim) > HEAD_LIMIT:
                self.set_exception(HttpProcessingError(message="too many interim answers"))
                self.close()
                return
            self._began = None
        elif self._began is not None:
            first_byte = self._began - self._try.started_at
            self._try.trace.first_byte_us = int(first_byte * 1e6)
        super().feed_data(data, size)

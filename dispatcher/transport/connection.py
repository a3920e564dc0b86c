"""One connection to a server: bytes out, bytes in, and what they mean to the request under way."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from dispatcher.outcome import Error
from dispatcher.transport.exchange import Exchange
from dispatcher.transport.origin import Origin
from dispatcher.transport.reader import AnswerReader, Incomplete, NotHttp
from dispatcher.transport.tls import Channel

SLICE = 64 * 1024
"""Bytes of a long body that are handed on at once."""


class Owner(Protocol):
    """Who is told what becomes of a connection and its request. None of it may raise."""

    def answered(self, connection: Connection, exchange: Exchange, reusable: bool) -> None:
        """The reader of the connection holds the answer."""

    def failed(self, connection: Connection, exchange: Exchange, error: Error, detail: str) -> None:
        """There will be no answer; the connection is over."""

    def lost(self, connection: Connection) -> None:
        """It is over; no request was under way. May be told twice."""


class Connection(asyncio.Protocol):
    """Carries one request at a time. Made by `dialling`, and used through `start`."""

    __slots__ = (
        "_channel", "_handshake", "_owner", "_paused", "_transport", "_unsent", "address",
        "closed", "exchange", "opened_at", "origin", "reader",
    )  # fmt: skip

    def __init__(
        self, owner: Owner, origin: Origin, address: str, cap: int, clock: Callable[[], float]
    ) -> None:
        """`address` as `Trace` shows it; the others as for `AnswerReader`."""
        self._owner = owner
        self.origin = origin
        self.address = address
        self.opened_at = clock()
        self.reader = AnswerReader(cap, clock)
        self.exchange: Exchange | None = None
        """The request under way."""
        self.closed = False
        self._transport: asyncio.Transport | None = None
        self._channel: Channel | None = None
        self._handshake: asyncio.Future[Exception | None] | None = None
        self._unsent: memoryview | None = None
        """What is left of a long body."""
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection stands."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop has a class of its own
        if self.closed:
            self._transport.abort()

    async def secure(self, channel: Channel) -> None:
        """Speak TLS from now on. Raises `ssl.SSLError`, or OSError where the connection ended."""
        self._handshake = asyncio.get_running_loop().create_future()
        self._channel = channel
        self._shake(b"")
        failed = await self._handshake
        self._handshake = None
        if failed is not None:
            raise failed

    def _shake(self, data: bytes) -> None:
        assert self._channel is not None
        failed = None
        try:
            self._channel.shake(data)
        except (ssl.SSLError, ssl.CertificateError) as error:
            failed = error
        self._write_out(self._channel.outgoing())  # after a failure: the alert that says why
        if failed is not None or self._channel.established:
            self._shaken(failed)

    def _shaken(self, failed: Exception | None) -> None:
        if self._handshake is not None and not self._handshake.done():
            self._handshake.set_result(failed)

    def start(self, exchange: Exchange) -> None:
        """Send a request."""
        self.exchange = exchange
        exchange.on = self
        exchange.trace.address = self.address
        self.reader.begin(exchange.head_only)
        body = exchange.body
        if len(body) <= SLICE:
            self._write(exchange.head + body if body else exchange.head)
        else:
            self._write(exchange.head)
            self._unsent = memoryview(body)
            self._write_on()

    def _write_on(self) -> None:
        """Hand on as much of a long body as is taken without piling up."""
        transport = self._transport
        while self._unsent is not None and not self._paused and not self.closed:
            if transport is None or transport.is_closing():
                return  # it failed, and says so soon
            part, rest = self._unsent[:SLICE], self._unsent[SLICE:]
            self._unsent = rest or None
            self._write(part)

    def _write(self, data: bytes | memoryview) -> None:
        if self._channel is not None:
            try:
                data = self._channel.encrypt(data)
            except ssl.SSLError as error:
                self._end("tls", _told(error))
                return
        self._write_out(data)

    def _write_out(self, data: bytes | memoryview) -> None:
        if self._transport is not None and not self.closed and data:
            self._transport.write(data)

    def pause_writing(self) -> None:
        """The server is slow to read."""
        self._paused = True

    def resume_writing(self) -> None:
        """It has read."""
        self._paused = False
        self._write_on()

    def data_received(self, data: bytes) -> None:
        """Bytes came: of the answer under way, or such as nobody asked for."""
        if self.closed:
            return
        if self._channel is not None:
            if not self._channel.established:
                self._shake(data)
                return
            try:
                data = self._decrypted(self._channel, data)
            except ssl.SSLError as error:
                self._end("tls", _told(error))
                return
        if data:
            if self.exchange is None:  # unasked for
                self._end("protocol", "")
                return
            try:
                complete = self.reader.feed(data)
            except NotHttp as error:
                self._end("protocol", str(error))
                return
            if complete:
                self._answered(self.reader.reusable)
        if self._channel is not None and self._channel.ended and not self.closed:
            self.eof_received()

    def _decrypted(self, channel: Channel, data: bytes) -> bytes:
        try:
            return channel.decrypt(data)
        finally:
            # An alert, or the answer to an update of the keys.
            if waiting := channel.outgoing():
                self._write_out(waiting)

    def _answered(self, reusable: bool) -> None:
        exchange, self.exchange = self.exchange, None
        assert exchange is not None
        # A server that answers before it has everything may take the rest for another request.
        reusable = reusable and self._unsent is None and not self._paused
        if len(exchange.body) > SLICE and self.reader.status >= 300:
            reusable = False  # nor is it known here what it has read of what the system took
        if self._channel is not None and self._channel.ended:
            reusable = False
        if not reusable:
            self.abort()
        self._owner.answered(self, exchange, reusable)

    def _end(self, error: Error, detail: str) -> None:
        """The connection is of no more use, nor is what was under way."""
        exchange, self.exchange = self.exchange, None
        self.abort()
        if exchange is None:
            self._owner.lost(self)
        else:
            self._owner.failed(self, exchange, error, detail)

    def eof_received(self) -> None:
        """The server sends no more. That may be the end of the answer."""
        if self.closed:
            return
        self._shaken(ConnectionResetError("the server closed the connection"))
        if self.exchange is None:
            self._end("closed", "")
            return
        try:
            self.reader.end()
        except Incomplete as error:
            self._end("closed", str(error))
        else:
            self._answered(reusable=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if exc is None:
            self.eof_received()
        elif not self.closed:
            self._shaken(exc)
            self._end("tls" if isinstance(exc, ssl.SSLError) else "closed", _told(exc))
        self.abort()
        self.reader.release()
        self._owner.lost(self)

    def abort(self) -> None:
        """Close at once; what is not sent yet is not sent."""
        self.closed = True
        self._unsent = None
        self._shaken(ConnectionAbortedError("given up"))
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close an idle one with a goodbye."""
        if self.closed or self._transport is None:
            self.abort()
            return
        if self._channel is not None:
            self._write_out(self._channel.closing())
        if self._transport.get_write_buffer_size():
            self.abort()
        else:
            self.closed = True
            self._transport.close()

    @property
    def session(self) -> ssl.SSLSession | None:
        """Of TLS, to be resumed by another connection to the same origin."""
        return self._channel.session if self._channel is not None else None


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__

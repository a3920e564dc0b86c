"""Our own transport: HTTP/1.1 over asyncio Protocols, at a fraction of the reference's cost."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

from dispatcher.guard import Guard
from dispatcher.outcome import Error
from dispatcher.request import OutlinedRequest, Request
from dispatcher.resolver import GuardedResolver
from dispatcher.transport import Answer, Ended, Trace, TransportError
from dispatcher.transport.addresses import Addresses
from dispatcher.transport.connection import Connection
from dispatcher.transport.deadlines import Deadlines
from dispatcher.transport.dialling import Dialler
from dispatcher.transport.exchange import Exchange
from dispatcher.transport.head import head, outlined_head
from dispatcher.transport.origin import Origin, Origins
from dispatcher.transport.pool import KEPT, Pool

SWEEP = 1.0
"""Seconds between looks for connections that are idle for too long."""


class NativeTransport:
    """See `Transport`. A request on a kept connection costs neither a future nor a task."""

    def __init__(
        self,
        guard: Guard,
        deadline: float,
        max_response_bytes: int,
        *,
        dns_timeout: float = 5.0,
        idle_connections: int = KEPT,
        connections: int = sys.maxsize,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`deadline` and `dns_timeout` in seconds; at most `idle_connections` are kept. Where there
        would be more than so many `connections` in all, idle ones make room.

        Must be made on the event loop that sends.
        """
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._deadline = deadline
        self._origins = Origins()
        self._most = connections
        self._pool: Pool[Origin, Connection] = Pool(clock, kept=idle_connections)
        self._deadlines = Deadlines(self._loop, clock)
        self._addresses = Addresses(GuardedResolver(guard, dns_timeout), clock)
        self._dialler = Dialler(self._loop, self._addresses, self, max_response_bytes, clock)
        self._connections: set[Connection] = set()
        """All that are in use or kept."""
        self._dialling: set[asyncio.Task[None]] = set()
        self._sweep = _Sweep(self._close_expired)
        self._sweeping = False
        self._all_lost: asyncio.Future[None] | None = None
        self._closed = False

    async def send(self, request: Request) -> Answer:
        """See `Transport.send`."""
        answer: asyncio.Future[Answer | TransportError] = self._loop.create_future()

        def told(result: Answer | TransportError) -> None:
            if not answer.done():  # nobody may wait any more
                answer.set_result(result)

        exchange = self._started(request, told)
        try:
            ended = await answer
        except asyncio.CancelledError:
            self._give_up(exchange)
            raise
        if isinstance(ended, TransportError):
            try:
                raise ended
            finally:
                del ended  # or error and frame would hold each other
        return ended

    def start(self, request: Request, ended: Ended) -> None:
        """See `Transport.start`."""
        try:
            self._started(request, ended)
        except TransportError as error:
            self._loop.call_soon(ended, error)

    def _started(self, request: Request, ended: Ended) -> Exchange:
        started_at = self._clock()
        if self._closed:
            raise TransportError("closed", "the transport is closed")
        if isinstance(request, OutlinedRequest):
            place = self._origins.place(request.outline)
            origin = place.origin
            made = outlined_head(request, place)
        else:
            origin, target = self._origins.split(request.url, request.tls)
            made = head(request, origin, target)
        exchange = Exchange(
            origin,
            made,
            request.body or b"",
            request.method == "HEAD",
            started_at,
            ended,
            self._overdue,
        )
        exchange.slot = self._deadlines.add(started_at + self._deadline, exchange)
        connection = self._pool.take(origin)
        if connection is None:
            self._dial(exchange)
        else:
            exchange.trace.reused = True
            connection.start(exchange)
        return exchange

    def _dial(self, exchange: Exchange) -> None:
        full = len(self._connections) + len(self._dialling) >= self._most
        if full and (spare := self._pool.oldest()) is not None:
            spare.close()
        task = exchange.dialling = self._loop.create_task(self._dialled(exchange))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    async def _dialled(self, exchange: Exchange) -> None:
        try:
            connection = await self._dialler.dial(exchange.origin, exchange.trace)
        except TransportError as error:
            self._fail(exchange, error.error, str(error))
            return
        except Exception as error:  # a fault of ours must not leave the request hanging
            self._fail(exchange, "protocol", f"{type(error).__name__}: {error}")
            return
        finally:
            exchange.dialling = None
        self._connections.add(connection)
        if connection.closed:
            self._connections.discard(connection)
            self._fail(exchange, "closed", "the server closed the connection at once")
        elif exchange.over:
            connection.abort()
        else:
            connection.start(exchange)

    # What connections tell: `connection.Owner`.

    def answered(self, connection: Connection, exchange: Exchange, reusable: bool) -> None:
        """The reader of the connection holds the answer."""
        trace = exchange.trace
        self._note_first_byte(connection, exchange)
        status, headers, body = connection.reader.take()
        if reusable:
            if connection.origin.secure and not trace.reused:
                self._dialler.remember(connection)
            for spare in self._pool.give(exchange.origin, connection, connection.opened_at):
                spare.close()
            if not self._sweeping:
                self._sweeping = True
                self._deadlines.add(self._clock() + SWEEP, self._sweep)
        self._end(exchange, Answer(status, headers, body, trace, connection.reader.known))

    def failed(self, connection: Connection, exchange: Exchange, error: Error, detail: str) -> None:
        """There will be no answer from this connection; perhaps from another."""
        self._note_first_byte(connection, exchange)
        # The server had closed a kept connection, and we had not heard of it yet.
        stale = exchange.trace.reused and error == "closed" and not connection.reader.started
        if stale and not exchange.over:
            exchange.trace = Trace(resent=True)
            exchange.on = None
            self._dial(exchange)
        else:
            self._fail(exchange, error, detail)

    def lost(self, connection: Connection) -> None:
        """It is over."""
        self._pool.forget(connection)
        self._connections.discard(connection)
        if self._all_lost is not None and not self._connections and not self._all_lost.done():
            self._all_lost.set_result(None)

    def _note_first_byte(self, connection: Connection, exchange: Exchange) -> None:
        if began := connection.reader.first_byte_at:
            exchange.trace.first_byte_us = int((began - exchange.started_at) * 1e6)

    # How requests end.

    def _end(self, exchange: Exchange, result: Answer | TransportError) -> None:
        self._deadlines.discard(exchange.slot, exchange)
        if not exchange.over:
            exchange.over = True
            exchange.ended(result)

    def _fail(self, exchange: Exchange, error: Error, detail: str) -> None:
        self._end(exchange, TransportError(error, detail, exchange.trace))

    def _overdue(self, exchange: Exchange) -> None:
        self._give_up(exchange)
        self._fail(exchange, "timeout", f"no complete answer within {self._deadline:g} s")

    def _give_up(self, exchange: Exchange) -> None:
        """Close what was opened for it, and only that."""
        self._deadlines.discard(exchange.slot, exchange)
        if exchange.dialling is not None:
            exchange.dialling.cancel()
        connection = exchange.on
        if connection is not None and connection.exchange is exchange:
            connection.exchange = None
            self._note_first_byte(connection, exchange)
            connection.abort()

    def _close_expired(self) -> None:
        for connection in self._pool.expired():
            connection.close()
        self._sweeping = len(self._pool) > 0
        if self._sweeping:
            self._deadlines.add(self._clock() + SWEEP, self._sweep)

    async def close(self) -> None:
        """See `Transport.close`. What is under way ends with `closed`."""
        self._closed = True
        for thing in self._deadlines.close():
            if isinstance(thing, Exchange):
                self._give_up(thing)
                self._fail(thing, "closed", "the transport was closed")
        for connection in self._pool.clear():
            connection.close()
        await asyncio.gather(*self._dialling, return_exceptions=True)
        await self._addresses.close()
        if self._connections:
            self._all_lost = self._loop.create_future()
            # They are idle, so it takes a turn of the loop or two.
            await asyncio.wait([self._all_lost], timeout=1)
            for connection in list(self._connections):
                connection.abort()


class _Sweep:
    """Comes up in the wheel now and then."""

    __slots__ = ("overdue",)

    def __init__(self, overdue: Callable[[], None]) -> None:
        self.overdue = overdue

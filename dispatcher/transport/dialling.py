"""From an origin to a connection that is ready for a request."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable, Sequence

from dispatcher.resolver import Refused
from dispatcher.transport import Trace, TransportError
from dispatcher.transport.addresses import Addresses
from dispatcher.transport.connection import Connection, Owner
from dispatcher.transport.origin import Origin
from dispatcher.transport.tls import Channel

STAGGER = 0.25
"""Seconds until the next address is tried beside one that does not answer (RFC 8305)."""
_SESSIONS = 10_000


class Dialler:
    """Opens connections, to nothing but addresses that the guard let through."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        addresses: Addresses,
        owner: Owner,
        cap: int,
        clock: Callable[[], float],
    ) -> None:
        """`owner`, `cap` and `clock` as for `Connection`."""
        self._loop = loop
        self._addresses = addresses
        self._owner = owner
        self._cap = cap
        self._clock = clock
        self._sessions: OrderedDict[Origin, ssl.SSLSession] = OrderedDict()

    async def dial(self, origin: Origin, trace: Trace) -> Connection:
        """A connection, secured where the origin is. Fills the trace as far as it comes.

        Raises `TransportError` (`blocked`, `dns`, `connect`, `tls`).
        """
        addresses = await self._resolved(origin, trace)
        began = self._clock()
        try:
            connection = await self._first(origin, addresses, trace)
        except OSError as error:
            self._addresses.forget(origin.host, origin.port)
            raise TransportError("connect", _told(error)) from None
        trace.address = connection.address
        trace.connect_us = self._since(began)
        if origin.secure:
            await self._secure(connection, trace)
        return connection

    async def _resolved(self, origin: Origin, trace: Trace) -> Sequence[str]:
        began = self._clock()
        try:
            addresses = await self._addresses.of(origin.host, origin.port)
        except Refused as error:
            raise TransportError("blocked", _told(error)) from None
        except OSError as error:
            raise TransportError("dns", _told(error)) from None
        finally:
            if not origin.is_literal:
                trace.dns_us = self._since(began)
        return addresses

    async def _first(self, origin: Origin, addresses: Sequence[str], trace: Trace) -> Connection:
        """The first that connects. Raises the OSError of the address that was to be the best."""
        if len(addresses) == 1:
            return await self._connect(origin, addresses[0], trace)
        tries: list[asyncio.Task[Connection]] = []
        won = None
        try:
            for address in addresses:
                tries.append(self._loop.create_task(self._connect(origin, address, trace)))
                if won := await _first_of(tries, STAGGER):
                    return won.result()
            won = await _first_of(tries, None)
            if won is None:
                raise next(error for one in tries if (error := one.exception()) is not None)
            return won.result()
        finally:
            for one in tries:
                if one is not won:
                    one.cancel()
                    one.add_done_callback(_discard)

    async def _connect(self, origin: Origin, address: str, trace: Trace) -> Connection:
        shown = f"[{address}]:{origin.port}" if ":" in address else f"{address}:{origin.port}"
        trace.address = shown
        connection = Connection(self._owner, origin, shown, self._cap, self._clock)
        try:
            # Only ever a number: nothing is looked up a second time.
            await self._loop.create_connection(
                lambda: connection, address, origin.port, flags=socket.AI_NUMERICHOST
            )
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _secure(self, connection: Connection, trace: Trace) -> None:
        origin, began = connection.origin, self._clock()
        try:
            channel = Channel(origin.tls, origin.host, self._sessions.get(origin))
            await connection.secure(channel)
        except BaseException as error:
            connection.abort()
            self._sessions.pop(origin, None)
            if isinstance(error, (OSError, ValueError)):
                detail = f"TLS with the server failed: {_told(error)}"
                raise TransportError("tls", detail) from None
            raise
        trace.tls_us = self._since(began)

    def remember(self, connection: Connection) -> None:
        """Keep the TLS session of a connection that gave an answer, to be resumed by others."""
        session = connection.session
        if session is None or not session.has_ticket:
            return
        self._sessions[connection.origin] = session
        self._sessions.move_to_end(connection.origin)
        if len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)

    def _since(self, began: float) -> int:
        return int((self._clock() - began) * 1e6)


async def _first_of(
    tries: Sequence[asyncio.Task[Connection]], wait: float | None
) -> asyncio.Task[Connection] | None:
    """The first of them that succeeds within `wait` seconds; None when the newest failed or the
    time is over; without `wait`, when all failed."""
    while True:
        succeeded = [one for one in tries if one.done() and one.exception() is None]
        if succeeded:
            return succeeded[0]
        pending = [one for one in tries if not one.done()]
        if not pending or (wait is not None and tries[-1].done()):
            return None
        done, _ = await asyncio.wait(pending, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return None


def _discard(task: asyncio.Task[Connection]) -> None:
    """It came too late, or failed beside one that did not."""
    if not task.cancelled() and task.exception() is None:
        task.result().abort()


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__

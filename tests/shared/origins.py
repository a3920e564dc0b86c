"""Origins for the fuzzer: servers on the client's own event loop, which cost little."""

from __future__ import annotations

import asyncio
from typing import cast

from hostile import LENGTH, TAG, healthy
from mutations import Case


class Origin(asyncio.Protocol):
    """A connection of a server that gives a case's answer to requests whose tag begins with `m`,
    and good ones to all others."""

    def __init__(self, server: OriginServer) -> None:
        self._server = server
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request that is complete."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or len(rest) < (int(length[1]) if length else 0):
            return
        self._buffer = b""
        tag = TAG.search(head)
        assert tag
        if tag[1].startswith(b"m"):
            self._server.written.clear()
            self._give(self._server.case, 0)
        else:
            self._transport.write(healthy(tag[1]))

    def _give(self, case: Case, number: int) -> None:
        if number < len(case.pieces) and not self._transport.is_closing():
            self._transport.write(case.pieces[number])
            asyncio.get_running_loop().call_soon(self._give, case, number + 1)
            return
        if case.ending == "closes":
            self._transport.close()
        elif case.ending == "resets":
            self._transport.abort()
        self._server.written.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._server.connections.discard(self._transport)


class OriginServer:
    """One origin; `case` says what it answers."""

    def __init__(self) -> None:
        self.connections: set[asyncio.Transport] = set()
        self.case: Case
        self.written = asyncio.Event()
        """The answer is, wholly."""
        self.written.set()

    async def start(self) -> OriginServer:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Origin(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Close everything."""
        self._server.close()
        self.hang_up()
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Cut all connections."""
        for connection in list(self.connections):
            connection.abort()

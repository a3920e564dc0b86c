"""Host names to addresses, in threads of our own, and only those that the guard lets through."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from dispatcher.guard import Guard

LOOK_UPS = 64
"""Names looked up at once; the system's resolver may take a minute for a dead one."""

_AddressInfo = list[Any]
"""What `socket.getaddrinfo` returns."""


class Refused(OSError):
    """The guard does not let an address through."""


class ThreadResolver(AbstractResolver):
    """The system's resolver, called in daemon threads.

    Not the event loop's own: uvloop lets two slow look-ups hold up all others, and an executor's
    threads are waited for at the end of the process. aiohttp asks once for a name however many
    requests wait for it, and goes on waiting when they have given up, so what bounds the threads is
    the semaphore.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(LOOK_UPS)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses in the system's order. Raises OSError when there is none."""
        async with self._free:
            found = await self._look_up(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                # A link-local address keeps its scope, which getnameinfo writes behind it.
                host=socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
                if kind == socket.AF_INET6 and len(address) == 4 and address[3]
                else str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]

    async def _look_up(self, host: str, port: int, family: socket.AddressFamily) -> _AddressInfo:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[_AddressInfo] = loop.create_future()

        def settle(found: _AddressInfo | None, error: Exception | None) -> None:
            if answered.done():
                return
            if error is not None:
                answered.set_exception(error)
            else:
                answered.set_result(found or [])

        def look_up() -> None:
            found, error = None, None
            try:
                found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError) as failed:
                error = failed if isinstance(failed, OSError) else OSError(str(failed))
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, found, error)

        threading.Thread(target=look_up, name="look-up", daemon=True).start()
        return await answered

    async def close(self) -> None:
        """Nothing to close."""


class GuardedResolver(AbstractResolver):
    """Looks a host up and keeps only what the guard lets through."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._resolver: AbstractResolver = ThreadResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses that may be dialled. Raises `Refused` when that is none of them."""
        found = await self._resolver.resolve(host, port, family)
        if not found:  # aiohttp would choke on an empty list
            raise OSError(f"{host} has no address")
        allowed = [result for result in found if self._guard.refusal(result["host"]) is None]
        if not allowed:
            raise Refused(f"{host}: {self._guard.refusal(found[0]['host'])}")
        return allowed

    async def close(self) -> None:
        """See `ThreadResolver.close`."""
        await self._resolver.close()

"""The addresses of a host, judged by the guard, and remembered for a short while."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from itertools import zip_longest

from aiohttp.abc import AbstractResolver, ResolveResult

TTL = 30.0
"""Seconds: how long an answer is used. The system's resolver does not say how long it holds."""
_KEPT = 65_536


class Addresses:
    """Asks a resolver, at most once in 30 seconds for a host and port that it knows."""

    def __init__(
        self, resolver: AbstractResolver, clock: Callable[[], float], ttl: float = TTL
    ) -> None:
        """`clock` gives seconds. Two askers at once are the resolver's to join."""
        self._resolver = resolver
        self._clock = clock
        self._ttl = ttl
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}

    async def of(self, host: str, port: int) -> list[str]:
        """In the order in which they are to be tried. Raises what the resolver raises."""
        known = self._known.get((host, port))
        if known is not None and known[0] > self._clock():
            return known[1]
        found = interleaved(await self._resolver.resolve(host, port, socket.AF_UNSPEC))
        self._known.pop((host, port), None)
        if len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        self._known[host, port] = self._clock() + self._ttl, found
        return found

    def forget(self, host: str, port: int) -> None:
        """None of them answers: ask anew the next time."""
        self._known.pop((host, port), None)

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()


def interleaved(found: Sequence[ResolveResult]) -> list[str]:
    """Addresses in the order of RFC 8305: families take turns, so that one that does not work here
    costs one attempt and not all."""
    first = [result["host"] for result in found if result["family"] == found[0]["family"]]
    other = [result["host"] for result in found if result["family"] != found[0]["family"]]
    turns = [address for pair in zip_longest(first, other) for address in pair if address]
    return list(dict.fromkeys(turns))

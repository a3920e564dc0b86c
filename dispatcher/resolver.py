"""Host names to addresses, in threads of our own, and only those that the guard lets through."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from ipaddress import IPv4Address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from dispatcher.guard import Guard
from dispatcher.hosts import literal
from dispatcher.look_ups import LOOK_UPS, LookUps, Question
from dispatcher.special_addresses import Address

__all__ = ["LOOK_UPS", "DnsTimeout", "GuardedResolver", "Refused", "ThreadResolver"]

DNS_TIMEOUT = 5.0
"""Seconds; what `PCA_DISPATCHER_DNS_TIMEOUT` is where unset."""

_AddressInfo = list[Any]
"""What `socket.getaddrinfo` returns."""
_Answer = tuple[_AddressInfo, OSError | None]
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Refused(OSError):
    """The guard does not let an address through."""


class DnsTimeout(OSError):
    """The look-up took longer than its share of the deadline."""


class ThreadResolver(AbstractResolver):
    """The system's resolver, called in daemon threads, of which there are never more than `places`.

    Not the event loop's own: uvloop lets two slow look-ups hold up all others, and an executor's
    threads are waited for at the end of the process. Who asks for a name that is being looked up
    waits for that look-up. Who is cancelled gives up: a look-up that has not started never does;
    one under way keeps its place until it ends, and its answer goes to whoever still waits.
    """

    def __init__(self, places: int = LOOK_UPS) -> None:
        self._look_ups = LookUps(places)
        self._asked: dict[Question, set[asyncio.Future[_Answer]]] = {}
        """Who waits for what, under way or queued."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses in the system's order. Raises OSError when there is none."""
        found, error = await self._answer(Question(host, family))
        if error is not None:
            raise type(error)(*error.args)  # one of its own for each who waits
        return [
            _result(
                host,
                # A link-local address keeps its scope, which getnameinfo writes behind it.
                socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0]
                if kind == socket.AF_INET6 and len(address) == 4 and address[3]
                else str(address[0]),
                port,
                kind,
                proto,
            )
            for kind, _, proto, _, address in found
        ]

    async def _answer(self, question: Question) -> _Answer:
        answered: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        waiting = self._asked.get(question)
        if waiting is None:
            waiting = self._asked[question] = set()
            self._start(self._look_ups.ask(question))
        waiting.add(answered)
        try:
            return await answered
        finally:
            waiting.discard(answered)
            # It may be answered, and asked anew by somebody else, by the time we come here.
            mine = self._asked.get(question) is waiting
            if mine and not waiting and self._look_ups.withdraw(question):
                del self._asked[question]

    def _start(self, questions: list[Question]) -> None:
        loop = asyncio.get_running_loop()
        for question in questions:
            thread = threading.Thread(
                target=self._look_up, args=(loop, question), name="look-up", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # the system has no more threads
                loop.call_soon(self._settle, question, ([], OSError(str(error))), 0.0)

    def _look_up(self, loop: asyncio.AbstractEventLoop, question: Question) -> None:
        began = time.monotonic()
        answer = _ask_the_system(question)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(self._settle, question, answer, time.monotonic() - began)

    def _settle(self, question: Question, answer: _Answer, seconds: float) -> None:
        for answered in self._asked.pop(question, ()):
            if not answered.done():
                answered.set_result(answer)
        self._start(self._look_ups.ended(question, seconds))

    async def close(self) -> None:
        """Nothing to close."""


def _ask_the_system(question: Question) -> _Answer:
    host, family = question
    try:
        return socket.getaddrinfo(host, 0, family=family, type=socket.SOCK_STREAM), None
    except OSError as error:
        return [], error
    except Exception as error:  # a name that is none: UnicodeError, ValueError
        return [], OSError(f"{host!r} cannot be looked up: {error}")


class GuardedResolver(AbstractResolver):
    """Looks a host up, once and within its budget, and keeps only what the guard lets through.

    Of mixed answers the refused addresses are left out and the others used. That is as safe as
    refusing the name: only what is returned here is dialled, so whoever puts 127.0.0.1 beside a
    public address gains nothing. And it is kinder: behind DNS64 every public host has a NAT64
    address beside its own, and many a company's DNS has private addresses beside public ones.
    """

    def __init__(self, guard: Guard, dns_timeout: float = DNS_TIMEOUT) -> None:
        """`dns_timeout` in seconds, waiting for a place to look up included."""
        self._guard = guard
        self._dns_timeout = dns_timeout
        self._resolver: AbstractResolver = ThreadResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses that may be dialled, none of which needs looking up again.

        A literal address, however it is spelt, is its own answer. Raises `Refused` when the guard
        lets none through, `DnsTimeout` when the budget is spent, OSError when there is no address.
        """
        refusal = self._guard.check(host, port)
        if refusal is not None:
            raise Refused(refusal)
        address = literal(host)
        if address is not None:
            return [_literal_result(host, address, port, family)]
        try:
            async with asyncio.timeout(self._dns_timeout):
                found = await self._resolver.resolve(host, port, family)
        except TimeoutError as error:
            raise DnsTimeout(f"{host} was not looked up within {self._dns_timeout:g} s") from error
        if not found:  # aiohttp would choke on an empty list
            raise OSError(f"{host} has no address")
        refusals = [self._guard.refusal(result["host"]) for result in found]
        allowed = [result for result, no in zip(found, refusals, strict=True) if no is None]
        if not allowed:
            raise Refused(f"{host}: {refusals[0]}")
        return allowed

    async def close(self) -> None:
        """See `ThreadResolver.close`."""
        await self._resolver.close()


def _literal_result(host: str, address: Address, port: int, family: int) -> ResolveResult:
    kind = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    if family not in (socket.AF_UNSPEC, kind):
        raise OSError(f"{host} is no address of the family asked for")
    return _result(host, str(address), port, kind, socket.IPPROTO_TCP)


def _result(host: str, address: str, port: int, family: int, proto: int) -> ResolveResult:
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=proto, flags=_NUMERIC
    )

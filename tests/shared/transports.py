"""All transports there are, event loops to run them on, and a meter for what passes through."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Coroutine
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import uvloop

from dispatcher.guard import Guard
from dispatcher.transport import Transport
from dispatcher.transport.native import NativeTransport
from dispatcher.transport.reference import AiohttpTransport

MAKERS: dict[str, Callable[[Guard, float, int], Transport]] = {
    "native": NativeTransport,
    "reference": AiohttpTransport,
}
"""Every implementation of the port; the arguments are the guard, the deadline in seconds and the
most bytes of an answer to be read."""

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}


def transport(name: str, deadline: float, most: int) -> Transport:
    """One that may reach this machine. Must be made on the event loop that sends."""
    return MAKERS[name](Guard([ip_network("127.0.0.0/8")]), deadline, most)


def run(loop: str, main: Coroutine[Any, Any, None]) -> None:
    """Run it to its end on a loop of that kind; fails if anything was logged or never retrieved."""
    complaints = Complaints()
    gc.freeze()  # or the collection below would look through everything that pytest holds
    try:
        with complaints, asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.get_loop().set_exception_handler(complaints.unhandled)
            runner.run(main)
            gc.collect()  # what was never retrieved is complained of when it goes
    finally:
        gc.unfreeze()
    assert not complaints.all, complaints.all


class Complaints(logging.Handler):
    """What is logged as a warning or worse, and what the event loop could not hand to anybody."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.all: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.all.append(record.getMessage())

    def unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The event loop's own."""
        self.all.append(f"{context['message']}: {context.get('exception')!r}")

    def __enter__(self) -> None:
        logging.getLogger().addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


class _Metered(asyncio.Protocol):
    """Stands before a protocol and counts what it is given."""

    def __init__(self, meter: Meter, inner: Any) -> None:
        self._meter, self.inner = meter, inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")  # None where it has gone already
        self._port = peer[1] if peer else 0
        self.inner.connection_made(transport)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def connection_lost(self, exc: Exception | None) -> None:
        self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def eof_received(self) -> bool | None:
        return self.inner.eof_received()  # type: ignore[no-any-return]


class _Streamed(_Metered):
    def data_received(self, data: bytes) -> None:
        self._meter.received[self._port] += len(data)
        self.inner.data_received(data)


class _Buffered(_Metered, asyncio.BufferedProtocol):
    def get_buffer(self, sizehint: int) -> Any:
        return self.inner.get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        self._meter.received[self._port] += nbytes
        self.inner.buffer_updated(nbytes)


class Meter:
    """Counts what arrives over the connections that a loop makes from now on, whoever reads it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.received: Counter[int] = Counter()
        """Bytes by the server's port; over TLS what the client's event loop hands on."""
        create = loop.create_connection

        async def create_connection(factory: Callable[[], Any], *args: Any, **named: Any) -> Any:
            made = []

            def metered() -> Any:
                made.append(factory())
                buffered = isinstance(made[0], asyncio.BufferedProtocol)
                return (_Buffered if buffered else _Streamed)(self, made[0])

            connected, _ = await create(metered, *args, **named)
            return connected, made[0]

        loop.create_connection = create_connection  # type: ignore[method-assign]


def sockets() -> dict[int, int]:
    """Descriptor → peer's port, of all connected sockets of this process; 0 for other sockets."""
    found = {}
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(one.readlink()).startswith("socket:"):
                found[int(one.name)] = _peer(int(one.name))
    return found


def _peer(descriptor: int) -> int:
    with socket.socket(fileno=os.dup(descriptor)) as same:
        try:
            return int(same.getpeername()[1])
        except (OSError, IndexError):
            return 0


def connected_to(*ports: int) -> int:
    """How many sockets of this process are connected to these ports."""
    return sum(port in ports for port in sockets().values())


def tasks() -> set[asyncio.Task[Any]]:
    """All but the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


async def turns(count: int = 10) -> None:
    """Let the event loop go round a few times, so that it sees what has already arrived."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(true: Callable[[], bool]) -> bool:
    """Whether it comes true while the event loop goes round; not soon, on a busy machine."""
    pulse = Pulse()
    with pulse:
        while not true():
            if pulse.alive > 2:
                return False
            await asyncio.sleep(0.001)
    return True


class Pulse:
    """How long the running event loop has gone round: while the machine lets it stand still, no
    time passes. So a test can be strict about time where other processes are busy."""

    _EVERY = 0.01

    def __init__(self) -> None:
        self.alive = 0.0
        """Seconds since the start."""
        self._loop = asyncio.get_running_loop()
        self._last = 0.0

    def _beat(self) -> None:
        now = self._loop.time()
        self.alive += min(now - self._last, 2 * self._EVERY)
        self._last = now
        self._timer = self._loop.call_later(self._EVERY, self._beat)

    def __enter__(self) -> Pulse:
        self._last = self._loop.time()
        self._timer = self._loop.call_later(self._EVERY, self._beat)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


class Stopwatch:
    """Seconds of a pulse by which a deadline has been passed."""

    def __init__(self, pulse: Pulse, deadline: float) -> None:
        self._pulse = pulse
        self._passed: float | None = None
        self._timer = asyncio.get_running_loop().call_later(deadline, self._fire)

    def _fire(self) -> None:
        self._passed = self._pulse.alive

    def overrun(self) -> float:
        """Zero where there was time left."""
        self._timer.cancel()
        return 0.0 if self._passed is None else self._pulse.alive - self._passed

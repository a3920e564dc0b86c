"""One transport measured in a process of its own, which says one figure; see `bench.transport`.

    python -m bench.transport_client cost|in-flight|idle TRANSPORT LOOP URL AUTHORITY COUNT WIDTH

AUTHORITY is a file of PEM, or nothing. The figures:

- `cost`: microseconds of CPU a request, COUNT of them, WIDTH in flight;
- `in-flight`: kB that a request adds which waits for its answer, COUNT of them;
- `idle`: kB that a kept connection adds after its only request, COUNT of them, an origin each.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import uvloop

from bench.endpoints import address
from dispatcher.guard import Guard
from dispatcher.request import DEFAULT_TLS, Request, Tls
from dispatcher.transport import Transport
from dispatcher.transport.native import NativeTransport
from dispatcher.transport.reference import AiohttpTransport

TRANSPORTS: dict[str, Callable[[Guard, float, int], Transport]] = {
    "native": NativeTransport,
    "reference": AiohttpTransport,
}
LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
HEADERS = {
    "User-Agent": "PostCallAction/1",
    "Accept": "*/*",
    "webhook-id": "4f1c0f6e-7a52-5c2a-9a3e-0c5f3a1d7b42",
    "webhook-timestamp": "1782914602",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
SETTLE = 2.0
"""Seconds until all requests are in flight."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is sent, where to, and how often."""

    transport: str
    url: str
    tls: Tls
    count: int
    width: int

    def made(self) -> Transport:
        """The transport."""
        return TRANSPORTS[self.transport](Guard([ip_network("127.0.0.0/8")]), 60.0, 65_536)

    def request(self) -> Request:
        """One of its own for each: headers are as fresh as a dispatcher's."""
        return Request("GET", self.url, dict(HEADERS), None, self.tls)


async def cost(task: Task) -> float:
    """Microseconds of CPU a request."""
    transport = task.made()

    async def send(count: int) -> None:
        for _ in range(count):
            assert (await transport.send(task.request())).status == 200

    async def send_all(count: int) -> int:
        each = count // task.width
        await asyncio.gather(*(send(each) for _ in range(task.width)))
        return each * task.width

    await send_all(task.width * 5)  # connect, and warm up
    gc.collect()
    began = time.process_time()
    sent = await send_all(task.count)
    spent = time.process_time() - began
    await transport.close()
    return spent / sent * 1e6


async def in_flight(task: Task) -> float:
    """Kilobytes that a waiting request adds; the server must take longer than `SETTLE`."""
    transport = task.made()
    first = asyncio.create_task(transport.send(task.request()))
    await asyncio.sleep(SETTLE / 4)  # what is shared is there
    before = _resident()
    waiting = [asyncio.create_task(transport.send(task.request())) for _ in range(task.count)]
    await asyncio.sleep(SETTLE)
    grown = _resident() - before
    assert not any(one.done() for one in (first, *waiting)), "not all of them wait"
    for one in (first, *waiting):
        one.cancel()
    await asyncio.gather(first, *waiting, return_exceptions=True)
    await transport.close()
    return grown / task.count / 1000


async def idle(task: Task) -> float:
    """Kilobytes that an idle connection adds, and what is known of its origin."""
    transport = task.made()
    parts = urlsplit(task.url)

    async def connect(index: int) -> None:
        url = parts._replace(netloc=f"{address(index)}:{parts.port}").geturl()
        # The certificate is not for all these addresses.
        request = Request("GET", url, dict(HEADERS), None, Tls(verify=False))
        assert (await transport.send(request)).status == 200

    for index in range(10):  # what is shared is there
        await connect(index)
    before = _resident()
    for index in range(10, 10 + task.count):
        await connect(index)
    grown = _resident() - before
    await transport.close()
    return grown / task.count / 1000


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


FIGURES: dict[str, Callable[[Task], Coroutine[None, None, float]]] = {
    "cost": cost,
    "in-flight": in_flight,
    "idle": idle,
}

if __name__ == "__main__":
    _, figure, name, loop, given_url, authority, count, width = sys.argv
    tls = Tls(ca=Path(authority).read_text()) if authority else DEFAULT_TLS
    given = Task(name, given_url, tls, int(count), int(width))
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        print(runner.run(FIGURES[figure](given)))

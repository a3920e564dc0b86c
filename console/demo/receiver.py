"""The customers' server of the demo: on 127.0.0.1, it keeps every request that arrives."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from console.demo.accounts import Pairs


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came in."""

    at: float
    """Seconds, of `time.perf_counter`."""
    method: str
    path: str
    raw_query: str
    """Byte for byte."""
    query: Pairs
    body: Pairs
    webhook_id: str
    status: int
    """What was answered."""


Judge = Callable[[str, Pairs, Pairs, int], int]
"""(path, query, body, earlier arrivals of the same webhook-id) → the status to answer."""


class Receiver:
    """A context manager: an HTTP server in a thread of its own, on a free port."""

    def __init__(self, judge: Judge = lambda *_: 200) -> None:
        self._judge = judge
        self._seen: dict[str, int] = {}
        self.arrivals: list[Arrival] = []
        """Only ever appended to; safe to read from other threads."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._receive)
        runner = web.AppRunner(application, access_log=None)
        try:
            self._loop.run_until_complete(self._serve(runner))
            self._loop.run_forever()
            self._loop.run_until_complete(runner.cleanup())
        finally:
            self._loop.close()
            self._socket.close()

    async def _serve(self, runner: web.AppRunner) -> None:
        await runner.setup()
        await web.SockSite(runner, self._socket).start()

    async def _receive(self, request: web.Request) -> web.Response:
        at = time.perf_counter()
        target = urlsplit(request.raw_path)
        query = _pairs(target.query)
        body = _pairs((await request.read()).decode())
        webhook_id = request.headers.get("webhook-id", "")
        earlier = self._seen.get(webhook_id, 0)
        self._seen[webhook_id] = earlier + 1
        status = self._judge(target.path, query, body, earlier)
        self.arrivals.append(
            Arrival(at, request.method, target.path, target.query, query, body, webhook_id, status)
        )
        return web.Response(status=status)


def _pairs(text: str) -> Pairs:
    return tuple(parse_qsl(text, keep_blank_values=True))

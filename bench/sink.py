"""A receiver that costs little: answers 204 at once and writes down what came.

    python -m bench.sink PORT FILE

Each request becomes a line in FILE: nanoseconds since 1970, request target, `webhook-id`. The file
is written every few milliseconds, and wholly before the process ends on SIGTERM. Answers can be
slowed or spoilt for single paths: `/status/500/…` answers 500, `/sleep/200/…` after 200 ms.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import BinaryIO, cast

import uvloop

FLUSH = 0.02
_REASONS = {204: b"No Content", 500: b"Internal Server Error", 410: b"Gone"}


def _response(status: int) -> bytes:
    reason = _REASONS.get(status, b"Whatever")
    length = b"" if status == 204 else b"Content-Length: 0\r\n"
    return b"HTTP/1.1 %d %s\r\n%s\r\n" % (status, reason, length)


class Log:
    """Lines on their way to the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lines: list[bytes] = []

    def add(self, target: bytes, webhook_id: bytes) -> None:
        """One request."""
        self._lines.append(b"%d %s %s\n" % (time.time_ns(), target, webhook_id))

    def flush(self) -> None:
        """To the file, for readers in other processes."""
        if self._lines:
            self._file.write(b"".join(self._lines))
            self._file.flush()
            self._lines.clear()


class Connection(asyncio.Protocol):
    """Just enough HTTP/1.1 for a well-behaved client: heads, Content-Length, pipelining."""

    def __init__(self, log: Log, loop: asyncio.AbstractEventLoop) -> None:
        self._log = log
        self._loop = loop
        self._transport: asyncio.Transport
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while True:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end]
            size = end + 4 + int(_header(head, b"content-length") or 0)
            if len(self._buffer) < size:
                return
            self._buffer = self._buffer[size:]
            target = head.split(b" ", 2)[1]
            self._log.add(target, _header(head, b"webhook-id"))
            self._answer(target)

    def _answer(self, target: bytes) -> None:
        _, verb, value, *_ = (target + b"///").split(b"/", 3)
        if verb == b"status":
            self._transport.write(_response(int(value)))
        elif verb == b"sleep":
            self._loop.call_later(int(value) / 1000, self._transport.write, _response(204))
        else:
            self._transport.write(_response(204))


def _header(head: bytes, name: bytes) -> bytes:
    start = head.lower().find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else None].strip()


async def serve(port: int, path: Path) -> None:
    """Until SIGTERM."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    with path.open("ab") as file:
        log = Log(file)
        server = await loop.create_server(lambda: Connection(log, loop), "127.0.0.1", port)
        while not stopped.is_set():
            log.flush()
            try:
                await asyncio.wait_for(stopped.wait(), FLUSH)
            except TimeoutError:
                continue
        server.close()
        log.flush()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2])))

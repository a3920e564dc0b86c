"""Many endpoints in one process, of which some turn bad when told.

    python -m bench.endpoints COUNT PORT FILE

Endpoint i listens on a loopback address of its own, so each is an origin of its own. What comes is
noted in memory: which request (its parameter `n`), and when it had been read. The process says
`ready` on standard output, and takes words from standard input, a line each: `spoil` turns the bad
ones bad, `count` prints how many requests the healthy ones have had. When the input ends, it writes
pairs of (n, microseconds since 1970), eight bytes each, to FILE and ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from array import array
from functools import partial
from pathlib import Path
from typing import Literal, cast

import uvloop

Behaviour = Literal["hangs", "500", "dribbles", "healthy"]
BAD: tuple[tuple[Behaviour, float], ...] = (("hangs", 0.10), ("500", 0.05), ("dribbles", 0.05))
"""Shares of the endpoints that turn bad; the others stay healthy."""
MARK = b"&n="
_WELL = b"HTTP/1.1 204 No Content\r\n\r\n"
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
_DRIBBLE = _HEAD + bytes(1000)


def address(index: int) -> str:
    """Where an endpoint listens."""
    return f"127.9.{index // 250}.{index % 250 + 1}"


def behaviour(index: int, count: int) -> Behaviour:
    """What an endpoint does once the bad ones are bad: the first ones hang, and so on."""
    end = 0.0
    for name, share in BAD:
        end += share * count
        if index < round(end):
            return name
    return "healthy"


class Log:
    """Every request: its number and when it came."""

    def __init__(self) -> None:
        self.numbers = array("q")
        self.times = array("q")
        self.healthy = 0
        self.spoilt = False


class Connection(asyncio.Protocol):
    """Just enough HTTP/1.1 for requests without a body, one after the other."""

    def __init__(self, log: Log, behaves: Behaviour, dribble_from: int) -> None:
        self._log = log
        self._behaves = behaves
        self._dribble_from = dribble_from
        self._transport: asyncio.Transport
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop has a class of its own

    def data_received(self, data: bytes) -> None:
        """Note a request that is complete, and answer it, or not."""
        if self._buffer:
            data = self._buffer + data
        if not data.endswith(b"\r\n\r\n"):
            self._buffer = data
            return
        self._buffer = b""
        start = data.index(MARK) + len(MARK)
        log = self._log
        log.times.append(time.time_ns() // 1000)
        log.numbers.append(int(data[start : data.index(b"&", start)]))
        if self._behaves == "healthy":
            log.healthy += 1
            self._transport.write(_WELL)
        elif not log.spoilt:
            self._transport.write(_WELL)
        elif self._behaves == "500":
            self._transport.write(_FAILED)
        elif self._behaves == "dribbles":
            self._transport.write(_DRIBBLE[: self._dribble_from])
            self._dribble(self._dribble_from)

    def _dribble(self, position: int) -> None:
        if not self._transport.is_closing():
            self._transport.write(_DRIBBLE[position : position + 1])
            asyncio.get_running_loop().call_later(1.0, self._dribble, position + 1)


async def serve(count: int, port: int) -> Log:
    """Until standard input ends; what came."""
    loop = asyncio.get_running_loop()
    log, ended = Log(), asyncio.Event()
    for index in range(count):
        # Some dribble from the first byte of the answer, some only its body.
        make = partial(Connection, log, behaviour(index, count), index % 2 * len(_HEAD))
        await loop.create_server(make, address(index), port, backlog=1024)

    def told() -> None:
        words = os.read(0, 1000).split()
        if not words:
            loop.remove_reader(0)
            ended.set()
        for word in words:
            if word == b"spoil":
                log.spoilt = True
            elif word == b"count":
                sys.stdout.write(f"{log.healthy}\n")
                sys.stdout.flush()

    loop.add_reader(0, told)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await ended.wait()
    return log


def written(log: Log) -> bytes:
    """Pairs of number and time."""
    pairs = array("q", bytes(16 * len(log.numbers)))
    pairs[0::2], pairs[1::2] = log.numbers, log.times
    return pairs.tobytes()


if __name__ == "__main__":
    came = uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
    Path(sys.argv[3]).write_bytes(written(came))

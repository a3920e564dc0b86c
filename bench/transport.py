"""What a request costs: our transport beside the reference, in CPU time of this process.

    python -m bench.transport [--runs 5] [--requests 20000] [--in-flight 64] [--loop uvloop]

Each transport sends GETs with a dispatcher's usual headers over kept connections to a sink in a
process of its own, over plain HTTP and over TLS. The runs of all rows alternate, so that a busy
machine disturbs all alike; every figure is CPU, not wall-clock. `memory` is what a request in
flight adds while the server says nothing: the growth of the process for 1,000 of them, in kB.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import psutil
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from rich.console import Console
from rich.table import Table

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
TARGET = "/hook?client_id=1234&from=3125550123&minutes=1.1&label=Yellow+pages&call=inbound"
HELD = 1000
"""Requests in flight for the memory of one."""
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: sink\r\nDate: Wed, 01 Jul 2026 14:03:22 GMT\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
)
out = Console()


class Sink(asyncio.Protocol):
    """Answers every head at once, but for those that ask for `/silence`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        self._transport, self._buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer what is complete; requests here have no body."""
        self._buffer += data
        *heads, self._buffer = self._buffer.split(b"\r\n\r\n")
        count = sum(b" /silence" not in head for head in heads)
        if count:
            self._transport.write(ANSWER * count)  # type: ignore[attr-defined]


async def serve(folder: Path) -> None:
    """Two ports, plain and TLS, printed on one line; until killed."""
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    servers = [
        await loop.create_server(Sink, "127.0.0.1", 0, backlog=4096, ssl=one)
        for one in (None, context)
    ]
    print(*(one.sockets[0].getsockname()[1] for one in servers), flush=True)
    await asyncio.Event().wait()


def certificate(folder: Path) -> str:
    """A self-signed one for 127.0.0.1, written with its key for the sink; returned as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sink")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    (folder / "server.pem").write_text(private + pem)
    return pem


async def cost(name: str, url: str, tls: Tls, requests: int, in_flight: int) -> float:
    """Microseconds of CPU a request."""
    transport = TRANSPORTS[name](Guard([ip_network("127.0.0.0/8")]), 15.0, 65_536)

    async def send(count: int) -> None:
        for _ in range(count):
            answer = await transport.send(Request("GET", url, dict(HEADERS), None, tls))
            assert answer.status == 200

    async def send_all(count: int) -> None:
        await asyncio.gather(*(send(count // in_flight) for _ in range(in_flight)))

    await send_all(in_flight * 5)  # connect, and warm up
    gc.collect()
    began = time.process_time()
    await send_all(requests)
    spent = time.process_time() - began
    await transport.close()
    return spent / (requests // in_flight * in_flight) * 1e6


async def memory(name: str, url: str) -> float:
    """Kilobytes that a request in flight adds."""
    transport = TRANSPORTS[name](Guard([ip_network("127.0.0.0/8")]), 60.0, 65_536)
    answer = await transport.send(Request("GET", url, HEADERS, None))
    assert answer.status == 200
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    silent = Request("GET", url.replace("/hook", "/silence"), HEADERS, None)
    tasks = [asyncio.create_task(transport.send(silent)) for _ in range(HELD)]
    await asyncio.sleep(2)
    grown = process.memory_info().rss - before
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await transport.close()
    return grown / HELD / 1000


def alone(loop: str, *arguments: object) -> float:
    """A figure measured in a process of its own: memory that was used once is not given back."""
    command = [sys.executable, "-m", "bench.transport", "--loop", loop, "--memory-of"]
    done = subprocess.run([*command, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def measure(runs: int, requests: int, in_flight: int, loop: str) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pem = certificate(folder)
        sink = subprocess.Popen(
            [sys.executable, "-m", "bench.transport", "--sink", str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert sink.stdout is not None
            plain, secure = (int(port) for port in sink.stdout.readline().split())
            kinds = {
                "plain": (f"http://127.0.0.1:{plain}{TARGET}", DEFAULT_TLS),
                "TLS": (f"https://127.0.0.1:{secure}{TARGET}", Tls(ca=pem)),
            }
            figures: dict[tuple[str, str], list[float]] = {
                (kind, one): [] for kind in kinds for one in TRANSPORTS
            }
            for _ in range(runs):
                for (kind, one), found in figures.items():
                    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
                        found.append(runner.run(cost(one, *kinds[kind], requests, in_flight)))
            held = {one: alone(loop, one, kinds["plain"][0]) for one in TRANSPORTS}
        finally:
            sink.kill()
            sink.wait()
    show(figures, held, f"{in_flight} in flight, keep-alive, {loop}, {runs} runs")


def show(figures: dict[tuple[str, str], list[float]], held: dict[str, float], title: str) -> None:
    """One row a kind and transport; ratios are of medians within this run."""
    table = Table(title=title)
    for heading in ("", "transport", "µs a request", "range", "reference / it", "kB in flight"):
        table.add_column(heading, justify="right" if heading else "left")
    for (kind, name), found in figures.items():
        median = statistics.median(found)
        ratio = statistics.median(figures[kind, "reference"]) / median
        in_flight = f"{held[name]:.1f}" if kind == "plain" else ""
        spread = f"{min(found):.1f}-{max(found):.1f}"
        table.add_row(kind, name, f"{median:.1f}", spread, f"{ratio:.1f}", in_flight)
    out.print(table)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--loop", choices=LOOPS, default="uvloop")
    parser.add_argument("--sink", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.sink:
        uvloop.run(serve(given.sink))
    elif given.memory_of:
        with asyncio.Runner(loop_factory=LOOPS[given.loop]) as runner:
            print(runner.run(memory(*given.memory_of)))
    else:
        measure(given.runs, given.requests, given.in_flight, given.loop)


if __name__ == "__main__":
    main()

"""What a request costs: our transport beside the reference, over plain HTTP and TLS.

    python -m bench.transport [--rounds 5] [--requests 20000] [--in-flight 64] [--loop uvloop]
                              [--quick]

Each figure is measured in a process of its own (`bench.transport_client`), which sends GETs with a
dispatcher's usual headers over kept connections. CPU is that of this process; memory is what it
grows by, for each of 1,000 requests that wait for an answer, and for each of 1,000 connections that
are idle after one request, to an origin each. All rows take turns.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from bench.builds import ROOT
from bench.certificates import issue
from bench.children import module
from bench.command import parser, rounds_of, run
from bench.part import Part
from bench.receiver import Receiver
from bench.report import Result, Table, out
from bench.stats import ranged, ratios
from bench.testbed import Testbed
from bench.transport_client import LOOPS, TRANSPORTS

REQUESTS, QUICK_REQUESTS, IN_FLIGHT = 20_000, 1_000, 64
HELD, QUICK_HELD = 1_000, 50
"""Requests that wait, and connections that are idle, for the memory of one."""
SILENCE = 60.0
"""Seconds that the server takes where requests are to wait."""
TARGET = "/hook?client_id=1234&from=3125550123&minutes=1.1&label=Yellow+pages&call=inbound"


@dataclass(slots=True)
class Figures:
    """Of one transport over one scheme, one of each a round."""

    cpu: list[float] = field(default_factory=list)
    """Microseconds a request."""
    in_flight: list[float] = field(default_factory=list)
    """Kilobytes a request."""
    idle: list[float] = field(default_factory=list)
    """Kilobytes a connection."""


Runs = Mapping[tuple[str, str], Figures]
"""By scheme, `http` or `https`, and transport."""


def measure(
    testbed: Testbed,
    *,
    rounds: int,
    requests: int = REQUESTS,
    in_flight: int = IN_FLIGHT,
    held: int = HELD,
    loop: str = "uvloop",
) -> Result:
    """Every figure of every row in every round."""
    certificate = issue(testbed.folder, ["127.0.0.1"])
    authority = testbed.folder / "authority.pem"
    authority.write_text(certificate.authority)

    def figure(name: str, transport: str, scheme: str, sink: Receiver, *sizes: int) -> float:
        port, trusted = (sink.port, "") if scheme == "http" else (sink.tls_port, authority)
        url = f"{scheme}://127.0.0.1:{port}{TARGET}"
        command = module("bench.transport_client", name, transport, loop, url, trusted, *sizes)
        with testbed.cores.for_the_stage():
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        said, _ = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{name} of {transport} over {scheme} could not be measured")
        return float(said)

    rows = {(scheme, name): Figures() for scheme in ("http", "https") for name in TRANSPORTS}
    with (
        Receiver(certificate=certificate) as quick,
        Receiver(certificate=certificate, delay=SILENCE) as silent,
    ):
        for _ in range(rounds):
            for (scheme, name), found in rows.items():
                found.cpu.append(figure("cost", name, scheme, quick, requests, in_flight))
                found.in_flight.append(figure("in-flight", name, scheme, silent, held, held))
                found.idle.append(figure("idle", name, scheme, quick, held, 1))
                out.print(f"{scheme}, {name}: {found.cpu[-1]:.1f} µs a request")
    notes = [
        f"{requests:,} requests, {in_flight} in flight, keep-alive, {loop}; {rounds} rounds,"
        " medians (ranges).",
        f"Memory: of {held:,} requests to one origin, and of connections to {held:,} origins.",
        testbed.pinning(),
    ]
    return result(rows, notes)


def result(runs: Runs, notes: Sequence[str]) -> Result:
    """The table from what was measured."""
    rows = [
        [
            f"{scheme}, {name}",
            ranged(found.cpu),
            ranged(ratios(runs[scheme, "reference"].cpu, found.cpu), 2),
            ranged(found.in_flight),
            ranged(found.idle),
        ]
        for (scheme, name), found in runs.items()
    ]
    columns = ["", "CPU µs a request", "CPU of reference / it", "kB a request in flight",
               "kB an idle connection"]  # fmt: skip
    return Result(
        name="transport",
        title="A request by itself",
        tables=[Table("Transports", columns, rows)],
        notes=list(notes),
        data={f"{scheme}, {name}": asdict(found) for (scheme, name), found in runs.items()},
    )


PARTS = {
    "transport": Part(
        lambda testbed, rounds: measure(testbed, rounds=rounds),
        lambda testbed: measure(testbed, rounds=1, requests=QUICK_REQUESTS, held=QUICK_HELD),
    ),
}


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__)
    arguments.add_argument("--requests", type=int)
    arguments.add_argument("--in-flight", type=int, default=IN_FLIGHT)
    arguments.add_argument("--loop", choices=LOOPS, default="uvloop")
    asked = arguments.parse_args()
    run(
        lambda testbed: measure(
            testbed,
            rounds=rounds_of(asked),
            requests=asked.requests or (QUICK_REQUESTS if asked.quick else REQUESTS),
            in_flight=asked.in_flight,
            held=QUICK_HELD if asked.quick else HELD,
            loop=asked.loop,
        )
    )


if __name__ == "__main__":
    main()

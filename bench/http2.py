"""Would HTTP/2, where an origin offers it, pay for a dispatcher of webhooks?

    python -m bench.http2 [--rounds 5] [--requests 10000] [--quick]

One client library, Go's net/http, speaks both protocols to one server over TLS: POSTs with a small
form and a dispatcher's headers, a given number in flight in all, to origins in turn. Measured are
CPU and memory of the sending process, and how long requests take. All cases take turns.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.builds import ROOT, go_peer
from bench.certificates import Certificate, issue
from bench.children import Child
from bench.command import parser, rounds_of, run
from bench.endpoints import address
from bench.part import Part
from bench.report import Result, Table, out
from bench.stats import median, ranged, ratios, rotated
from bench.testbed import Testbed
from deploy.ports import free_port

REQUESTS, QUICK_REQUESTS = 10_000, 1_000
WARM_UP = 10
"""Requests before those that are measured, for each that is in flight."""
PROTOCOLS = ("HTTP/1.1", "HTTP/2")


@dataclass(frozen=True, slots=True)
class Case:
    """Seconds until an answer, distinct origins, and requests in flight to all of them together."""

    delay: float
    origins: int
    in_flight: int

    def __str__(self) -> str:
        origins = "1 origin" if self.origins == 1 else f"{self.origins} origins"
        return f"{self.delay * 1000:.0f} ms, {origins}, {self.in_flight} in flight"


CASES = tuple(
    Case(delay, origins, in_flight)
    for delay in (0.0, 0.02, 0.1)
    for origins in (1, 50)
    for in_flight in (64, 512)
)
QUICK_CASES = (Case(0.0, 1, 64), Case(0.02, 50, 512))


@dataclass(frozen=True, slots=True)
class Sent:
    """What one run cost, as the sender says."""

    requests: int
    errors: int
    cpu_us: float
    """User and system time, microseconds a request."""
    wall_s: float
    p50_ms: float
    p99_ms: float
    connections: int
    """Opened, by the warm-up too."""
    memory_bytes: int
    """Grown by since before the first connection, when all are idle again."""

    @property
    def busy(self) -> float:
        """Percent of a core."""
        return self.cpu_us * self.requests / 1e4 / self.wall_s


Runs = Mapping[tuple[Case, str], Sequence[Sent]]
"""By case and protocol, one of each round."""


def measure(
    testbed: Testbed, *, rounds: int, requests: int = REQUESTS, cases: Sequence[Case] = CASES
) -> Result:
    """Every case by both protocols in every round."""
    addresses = [address(index) for index in range(max(case.origins for case in cases))]
    certificate = issue(testbed.folder, addresses)
    authority = testbed.folder / "authority.pem"
    authority.write_text(certificate.authority)
    runs: dict[tuple[Case, str], list[Sent]] = {
        (case, protocol): [] for case in cases for protocol in PROTOCOLS
    }
    with ExitStack() as stack:
        ports: dict[float, int] = {}
        for delay in dict.fromkeys(case.delay for case in cases):
            ports[delay] = free_port(ports.values())
            stack.enter_context(_sink(ports[delay], delay, certificate))
        for number in range(rounds):
            for case in rotated(cases, number):
                origins = [f"https://{at}:{ports[case.delay]}" for at in addresses[: case.origins]]
                for protocol in rotated(PROTOCOLS, number):
                    sent = _sent(testbed, case, protocol, requests, authority, origins)
                    runs[case, protocol].append(sent)
                    out.print(f"{case}, {protocol}: {sent.cpu_us:.1f} µs a request,"
                              f" p99 {sent.p99_ms:.1f} ms")  # fmt: skip
    notes = [
        "Both protocols are spoken by the same client library in Go to the same server, so what"
        " differs is the protocol; a ratio below 1 is in favour of HTTP/2.",
        "Origins are loopback addresses whose distance is simulated by the server's delay: packets"
        " are never lost, and what it costs to connect in the warm-up is left out of CPU and p99.",
        "Where more is in flight than sender or server can do at once, as without a delay, p99"
        " tells how long requests queue there.",
        f"{requests:,} requests a run, TLS, keep-alive; the server allows 1,000 streams a"
        f" connection, more than is usual; {rounds} rounds, medians (ranges). Memory is what the"
        " process has grown by when all connections are idle.",
        testbed.pinning(),
    ]
    return result(runs, notes)


def _sink(port: int, delay: float, certificate: Certificate) -> Child:
    """A server of either protocol on all loopback addresses."""
    command = [str(go_peer()), "sink", "-tls-listen", f":{port}", "-h2"]
    command += ["-tls-cert", str(certificate.certificate), "-tls-key", str(certificate.key)]
    return Child([*command, "-delay", f"{delay * 1000:.0f}ms"])


def _sent(
    testbed: Testbed,
    case: Case,
    protocol: str,
    requests: int,
    authority: Path,
    origins: Sequence[str],
) -> Sent:
    """One run. Raises `RuntimeError` when a request fails."""
    command = [str(go_peer()), "send", "-ca", str(authority), "-requests", str(requests)]
    command += ["-in-flight", str(case.in_flight), "-warm-up", str(WARM_UP * case.in_flight)]
    if protocol == "HTTP/2":
        command.append("-http2")
    with testbed.cores.for_the_stage():
        process = subprocess.Popen(
            [*command, *origins], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
    said, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{case}, {protocol} could not be measured")
    sent = Sent(**json.loads(said))
    if sent.errors:
        raise RuntimeError(f"{case}, {protocol}: {sent.errors} requests failed")
    return sent


def result(runs: Runs, notes: Sequence[str]) -> Result:
    """The table from what was measured."""
    columns = [
        "answer after, origins, in flight",
        "CPU µs a request, HTTP/1.1", "HTTP/2", "HTTP/2 / HTTP/1.1",
        "p99 ms, HTTP/1.1", "HTTP/2", "HTTP/2 / HTTP/1.1",
        "% of a core: 1.1, 2", "connections: 1.1, 2", "MB: 1.1, 2",
    ]  # fmt: skip
    rows = [
        _row(case, *(runs[case, protocol] for protocol in PROTOCOLS))
        for case in dict.fromkeys(case for case, _ in runs)
    ]
    return Result(
        name="http2",
        title="HTTP/2 beside HTTP/1.1",
        tables=[Table("Webhooks by either protocol", columns, rows)],
        notes=list(notes),
        data={
            f"{case}, {protocol}": [asdict(one) for one in found]
            for (case, protocol), found in runs.items()
        },
    )


def _row(case: Case, old: Sequence[Sent], new: Sequence[Sent]) -> list[str]:
    def compared(figure: Callable[[Sent], float]) -> list[str]:
        before, after = [figure(one) for one in old], [figure(one) for one in new]
        return [ranged(before), ranged(after), ranged(ratios(after, before), 2)]

    def both(figure: Callable[[Sent], float], digits: int = 0) -> str:
        medians = [median([figure(one) for one in found]) for found in (old, new)]
        return ", ".join(f"{middle:.{digits}f}" for middle in medians)

    return [
        str(case),
        *compared(lambda one: one.cpu_us),
        *compared(lambda one: one.p99_ms),
        both(lambda one: one.busy),
        both(lambda one: one.connections),
        both(lambda one: one.memory_bytes / 1e6, 1),
    ]


PARTS = {
    "http2": Part(
        lambda testbed, rounds: measure(testbed, rounds=rounds),
        lambda testbed: measure(testbed, rounds=1, requests=QUICK_REQUESTS, cases=QUICK_CASES),
    ),
}


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__)
    arguments.add_argument("--requests", type=int)
    asked = arguments.parse_args()
    run(
        lambda testbed: measure(
            testbed,
            rounds=rounds_of(asked),
            requests=asked.requests or (QUICK_REQUESTS if asked.quick else REQUESTS),
            cases=QUICK_CASES if asked.quick else CASES,
        )
    )


if __name__ == "__main__":
    main()

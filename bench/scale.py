"""What grows, and how: the cost of a delivery against everything that may be large.

    python -m bench.scale [--only origins,payload,in-flight,copies,partitions] [--quick]

One dispatcher of ours at a time, on a core of its own (copies: a quarter of one each).
Cost against actions per call is in `bench.routing`, cost against numbers in `bench.numbers`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TypeVar

from bench import concurrency, quota
from bench.backlog import PAYLOADS, Payload
from bench.command import parser, run_part
from bench.cpu import spread
from bench.part import Part
from bench.report import Claim, Result, Table, out
from bench.stats import ranged, ratios, rotated
from bench.subjects import OURS
from bench.testbed import Testbed
from bench.throughput import WARM_UP, DeliveryCost, Throughput

COUNT, QUICK_COUNT = 150_000, 10_000
ORIGINS, QUICK_ORIGINS = (1, 10, 100, 1_000, 10_000, 50_000), (1, 50)
COPIES, QUICK_COPIES = (1, 2, 4), (1, 2)
COPIES_COUNT = 200_000
SHARE = 0.25
"""Of a core, for each copy: broker and sink need as much for what it delivers."""
PARTITIONS, QUICK_PARTITIONS = (1, 12, 48), (1, 12)
EACH = 6
"""Dispatches an origin at least: the connections of the first are not to be all that is seen."""
ENDPOINTS = 50
TWO_COPIES_LIMIT = 1.8
_MB = 1024 * 1024

Size = TypeVar("Size", int, Payload)


def origins(
    testbed: Testbed, rounds: int, sizes: Sequence[int] = ORIGINS, count: int = COUNT
) -> Result:
    """Against the number of distinct origins."""
    kept = testbed.settings().dispatcher_idle_connections
    fitting = [size for size in sizes if testbed.fits(min(size, kept))]
    backlogs = {size: Throughput(testbed, max(count, EACH * size), size) for size in fitting}

    def run(backlog: Throughput, size: int) -> DeliveryCost:
        # An action's cap is not to be what holds back the few.
        return backlog.run(OURS, per_action=max(16, 256 // size), warm_up=0.4)

    runs = _alternating("origins", backlogs, rounds, run)
    left_out = ", ".join(f"{size:,}" for size in sizes if size not in fitting)
    notes = [f"Left out, for want of open files (`ulimit -Hn`): {left_out}."] if left_out else []
    if any(size > kept for size in fitting):
        notes.append(
            f"{kept:,} connections are kept idle: with more origins that take turns, each request"
            " makes its own."
        )
    return _result("origins", "Distinct origins", runs, [testbed.pinning(), *notes])


def payload(
    testbed: Testbed, rounds: int, kinds: Sequence[Payload] = PAYLOADS, count: int = COUNT
) -> Result:
    """Against what a request carries."""
    backlogs = {kind: Throughput(testbed, count, ENDPOINTS, payload=kind) for kind in kinds}
    runs = _alternating("payload", backlogs, rounds)
    return _result("payload", "Payload", runs, [testbed.pinning()])


def partitions(
    testbed: Testbed, rounds: int, sizes: Sequence[int] = PARTITIONS, count: int = COUNT
) -> Result:
    """Against the partitions of every topic."""
    backlogs = {size: Throughput(testbed, count, ENDPOINTS, partitions=size) for size in sizes}
    runs = _alternating("partitions", backlogs, rounds)
    return _result("partitions", "Partitions", runs, [testbed.pinning()])


def copies(
    testbed: Testbed, rounds: int, sizes: Sequence[int] = COPIES, count: int = COPIES_COUNT
) -> Result:
    """Against the copies of the dispatcher, which share the partitions. For a testbed that is not
    pinned: broker and sink are not to be kept on the core of one copy."""
    share = SHARE if quota.available() else None
    runs: dict[int, list[DeliveryCost]] = {size: [] for size in sizes}
    with Throughput(testbed, count, 200) as backlog:
        for number in range(rounds):
            for size in rotated(sizes, number):
                cores = spread(size, share)
                figures = backlog.run(OURS, warm_up=max(WARM_UP, 0.4), cores=cores)
                runs[size].append(figures)
                _tell("copies", size, runs[size])
    each = f"{share:.0%} of a core" if share else "a core while there are some"
    note = (
        f"Each copy has {each} ({os.cpu_count()} cores here), in turn from the last on; broker and"
        " sink may use all of them."
    )
    if not share:
        note += " They take time from the copies: this system lets us bound nobody's."
    made = _result("copies", "Copies of the dispatcher", runs, [note])
    one = runs.get(1, [])
    speeds = [[run.per_second for run in found] for found in runs.values()]
    cpu = [[run.cpu for run in found] for found in runs.values()]
    made.tables.append(
        Table(
            "In times of one copy",
            ["copies", "deliveries/s", "deliveries/s, if only CPU of copies counted"],
            [
                [
                    f"{size}",
                    ranged(ratios(speed, [run.per_second for run in one]), 2),
                    ranged([size * r for r in ratios([run.cpu for run in one], cost)], 2),
                ]
                for size, speed, cost in zip(runs, speeds, cpu, strict=True)
            ],
        )
    )
    if 2 in runs and one:
        two, beside = [run.per_second for run in runs[2]], [run.per_second for run in one]
        text = "Deliveries a second of two dispatchers, in times of one"
        made.claims.append(Claim(text, ratios(two, beside), TWO_COPIES_LIMIT, at_least=True))
    return made


def _alternating(
    name: str,
    backlogs: Mapping[Size, Throughput],
    rounds: int,
    run: Callable[[Throughput, Size], DeliveryCost] = lambda backlog, _: backlog.run(OURS),
) -> dict[Size, list[DeliveryCost]]:
    """Every size in every round, another one first in each."""
    runs: dict[Size, list[DeliveryCost]] = {size: [] for size in backlogs}
    with contextlib.ExitStack() as stack:
        for backlog in backlogs.values():
            stack.enter_context(backlog)
        for number in range(rounds):
            for size in rotated(list(backlogs), number):
                runs[size].append(run(backlogs[size], size))
                _tell(name, size, runs[size])
    return runs


def _tell(name: str, size: object, found: Sequence[DeliveryCost]) -> None:
    out.print(f"{name} {size}: {found[-1].cpu:.1f} µs a delivery, {found[-1].per_second:,.0f}/s")


def _result(
    name: str, title: str, runs: Mapping[Size, list[DeliveryCost]], notes: Sequence[str]
) -> Result:
    first = next(iter(runs.values()), [])
    rows = [
        [
            f"{size:,}" if isinstance(size, int) else str(size),
            ranged([run.cpu for run in found]),
            ranged(ratios([run.cpu for run in found], [run.cpu for run in first]), 2),
            ranged([run.per_second for run in found], 0),
            ranged([run.resident / _MB for run in found], 0),
            ranged([run.sink_cpu for run in found]),
            f"{sum(run.sent - min(run.sent, run.attempts) for run in found):,}",
        ]
        for size, found in runs.items()
    ]
    columns = [title.lower(), "CPU µs a delivery", "of the first row", "deliveries/s", "RSS MB",
               "sink's CPU µs", "attempts missing"]  # fmt: skip
    return Result(
        name=f"scale-{name}",
        title=f"Scale: {title.lower()}",
        tables=[Table("Cost of a delivery", columns, rows)],
        notes=list(notes),
        data={str(size): [asdict(run) for run in found] for size, found in runs.items()},
    )


PARTS = {
    "scale-origins": Part(origins, lambda testbed: origins(testbed, 1, QUICK_ORIGINS, QUICK_COUNT)),
    "scale-payload": Part(payload, lambda testbed: payload(testbed, 1, PAYLOADS[-1:], QUICK_COUNT)),
    **concurrency.PARTS,
    "scale-copies": Part(
        copies, lambda testbed: copies(testbed, 1, QUICK_COPIES, QUICK_COUNT), pinned=False
    ),
    "scale-partitions": Part(
        partitions, lambda testbed: partitions(testbed, 1, QUICK_PARTITIONS, QUICK_COUNT)
    ),
}


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__)
    names = [name.removeprefix("scale-") for name in PARTS]
    arguments.add_argument("--only", help="parts, comma between: " + ", ".join(names))
    asked = arguments.parse_args()
    chosen = asked.only.split(",") if asked.only else names
    if unknown := set(chosen) - set(names):
        arguments.error(f"no parts: {', '.join(unknown)}")
    for name in chosen:
        run_part(PARTS[f"scale-{name}"], asked)


if __name__ == "__main__":
    main()

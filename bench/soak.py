"""Does memory stay flat? Our router and dispatcher at a steady rate for half an hour.

    python -m bench.soak [--minutes 30] [--rate 500] [--quick]

Calls are produced at random times (Poisson) and followed until their requests are received, as in
`bench.latency`. The resident sets of both processes are noted every 10 seconds. The first fifth is
warm-up: what is kept up to some limit fills up to it. Of the rest, the mean of the second half is
held against that of the first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.command import parser, run
from bench.latency import OUR_PAIR
from bench.part import Part
from bench.pipeline import Latency, Pipeline, Session, latency
from bench.report import Claim, Result, Table, out
from bench.stats import growth
from bench.subjects import Running
from bench.testbed import Testbed

MINUTES, QUICK_MINUTES = 30.0, 0.25
RATE, QUICK_RATE = 500.0, 100.0
EVERY, QUICK_EVERY = 10.0, 1.0
"""Seconds from one sample to the next."""
GROWTH_LIMIT = 1.05
"""Mean memory in the second half, in times of that in the first."""
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """Of a process."""

    at: float
    """Seconds since the load began."""
    resident: int
    """Bytes."""
    cpu: float
    """Seconds that it has used since it was started."""


Samples = Mapping[str, Sequence[Sample]]
"""By stage."""


class Sampler:
    """Looks at processes every so many seconds, when it is called often enough."""

    def __init__(self, running: Sequence[Running], every: float) -> None:
        self._running = running
        self._every = every
        self._began = time.monotonic()
        self.samples: dict[str, list[Sample]] = {one.subject.module: [] for one in running}

    def __call__(self) -> None:
        at = time.monotonic() - self._began
        for one in self._running:
            samples = self.samples[one.subject.module]
            if at >= len(samples) * self._every:
                samples.append(Sample(at, one.resident(), one.cpu_seconds()))


def measure(
    testbed: Testbed, *, minutes: float = MINUTES, rate: float = RATE, every: float = EVERY
) -> Result:
    """One long load. Raises `SubjectFailed` when a process ends."""
    with Session(Pipeline(testbed), OUR_PAIR) as session:
        sampler = Sampler(session.running, every)
        out.print(f"{minutes:g} minutes at {rate:g} calls a second")
        load = session.load(rate, minutes * 60, sampler)
        received = session.received()
    notes = [
        f"{rate:,.0f} calls a second for {minutes:g} minutes, each with one action, to 100 origins;"
        f" a sample every {every:g} s.",
        testbed.pinning(),
    ]
    return result(sampler.samples, latency(load, received, 0.0), notes)


def result(samples: Samples, took: Latency, notes: list[str]) -> Result:
    """Tables and claims from what was measured."""
    slopes, claims = [], []
    for stage, found in samples.items():
        grown, slope = growth([(one.at / 3600, one.resident / _MB) for one in found])
        claims.append(Claim(f"Memory of the {stage}, second half in times of the first", [grown],
                            GROWTH_LIMIT))  # fmt: skip
        slopes.append([stage, f"{grown:.3f}", f"{slope:+.1f}"])
    growth_columns = ["", "second half / first", "MB an hour in the second half"]
    row = [f"{took.calls:,}", f"{took.missing:,}", f"{took.p50:.2f}", f"{took.p99:.2f}",
           f"{took.p999:.1f}", f"{took.late:.1f}"]  # fmt: skip
    columns = ["calls", "missing", "p50 ms", "p99", "p99.9", "load late p99 ms"]
    return Result(
        name="soak",
        title="A long run",
        tables=[
            _over_time(samples),
            Table("Growth after the first fifth", growth_columns, slopes),
            Table("From call produced to request received", columns, [row]),
        ],
        claims=[*claims, Claim("Calls of the long run that were lost", [took.missing], 0)],
        notes=notes,
        data={
            "samples": {stage: [asdict(one) for one in found] for stage, found in samples.items()},
            "latency": asdict(took),
        },
    )


def _over_time(samples: Samples) -> Table:
    """A row for each tenth of the time."""
    last = min(len(found) for found in samples.values()) - 1
    first = next(iter(samples.values()))
    rows = [
        [
            f"{first[mark].at / 60:.1f}",
            *(f"{found[mark].resident / _MB:.1f}" for found in samples.values()),
            *(f"{found[mark].cpu:,.0f}" for found in samples.values()),
        ]
        for mark in (last * tenth // 10 for tenth in range(11))
    ]
    columns = ["minute", *(f"{stage}'s RSS MB" for stage in samples),
               *(f"{stage}'s CPU s" for stage in samples)]  # fmt: skip
    return Table("Over time", columns, rows)


PARTS = {
    "soak": Part(
        lambda testbed, _: measure(testbed),
        lambda testbed: measure(testbed, minutes=QUICK_MINUTES, rate=QUICK_RATE, every=QUICK_EVERY),
        pinned=False,
    ),
}


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__, rounds=False)
    arguments.add_argument("--minutes", type=float)
    arguments.add_argument("--rate", type=float, help="calls a second")
    asked = arguments.parse_args()
    run(
        lambda testbed: measure(
            testbed,
            minutes=asked.minutes or (QUICK_MINUTES if asked.quick else MINUTES),
            rate=asked.rate or (QUICK_RATE if asked.quick else RATE),
            every=QUICK_EVERY if asked.quick else EVERY,
        ),
        pinned=False,
    )


if __name__ == "__main__":
    main()

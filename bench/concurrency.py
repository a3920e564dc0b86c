"""Many requests in flight at once: what each of them costs in memory, and a delivery in CPU.

Dispatches come at a steady rate for endpoints that take their time, so the number in flight is the
product of the two. The rate is the same in the cases that are compared: how much work comes in one
batch changes what it costs. Run by `python -m bench.scale --only in-flight`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.children import Child, module
from bench.offsets import Offsets
from bench.part import Part
from bench.receiver import Receiver
from bench.report import Claim, Result, Table, out
from bench.stats import ranged, ratios, rotated
from bench.subjects import OURS, Running
from bench.testbed import Testbed
from console.supervisor import environment_of
from dispatcher.service import GROUP
from streaming import topics as kafka_topics

ENDPOINTS = 2000
SECONDS = 15.0
SETTLE = 2.0
KB_LIMIT, CPU_TIMES = 25.0, 1.5
"""Kilobytes a request in flight; CPU a delivery, in times of what it is at 64 in flight."""
_IN_FLIGHT = "pca_requests_in_flight"


@dataclass(frozen=True, slots=True)
class Case:
    """Seconds that endpoints take, and dispatches a second."""

    delay: float
    rate: float

    @property
    def in_flight(self) -> int:
        """How many are to be expected."""
        return round(self.delay * self.rate)


AT_64, AT_10_000 = Case(0.032, 2000), Case(5.0, 2000)
CASES = (
    Case(0.0, 2000), AT_64, Case(0.05, 2000), Case(0.5, 2000), AT_10_000, Case(9.0, 2000),
    Case(10.0, 2000),
)  # fmt: skip
QUICK_CASES = (Case(0.032, 500), Case(1.0, 500))


@dataclass(frozen=True, slots=True)
class InFlightCost:
    """Of one run."""

    cpu: float
    """Microseconds a delivery."""
    per_second: float
    in_flight: float
    """As the dispatcher counts them, in the middle."""
    idle: int
    """Bytes resident before the first dispatch."""
    busy: int
    """The most that was resident."""
    late: int
    """p99 of how late the load itself was, microseconds."""

    @property
    def kilobytes(self) -> float:
        """Above idle, a request in flight."""
        return (self.busy - self.idle) / max(1.0, self.in_flight) / 1000


def measure(
    testbed: Testbed,
    *,
    rounds: int,
    cases: Sequence[Case] = CASES,
    seconds: float = SECONDS,
    endpoints: int = ENDPOINTS,
) -> Result:
    """Every case in every round."""
    # Some more, of a burst; idle connections make room.
    fitting = [case for case in cases if testbed.fits(int(1.05 * case.in_flight))]
    runs: dict[Case, list[InFlightCost]] = {case: [] for case in fitting}
    for number in range(rounds):
        for case in rotated(fitting, number):
            run = one_run(testbed, case, seconds, endpoints)
            runs[case].append(run)
            out.print(f"{case.delay:g} s at {case.rate:,.0f}/s: {run.in_flight:,.0f} in flight,"
                      f" {run.cpu:.1f} µs a delivery, {run.kilobytes:.1f} kB each")  # fmt: skip
    left_out = [f"{case.in_flight:,}" for case in cases if case not in fitting]
    notes = [
        testbed.pinning(),
        f"{endpoints:,} origins; dispatches come at random times (Poisson) for {seconds:g} s after"
        f" all are in flight; {rounds} rounds, medians (ranges). Memory is what the process has"
        " grown by since before the first dispatch: connections and compiled actions too.",
    ]
    if left_out:
        notes.append(f"Left out, for want of open files (`ulimit -Hn`): {', '.join(left_out)}.")
    return Result(
        name="scale-in-flight",
        title="Scale: latency of the endpoints, and requests in flight",
        tables=[_table(runs)],
        claims=_claims(runs),
        notes=notes,
        data={
            f"{case.delay:g} s, {case.rate:g}/s": [asdict(run) for run in found]
            for case, found in runs.items()
        },
    )


def one_run(testbed: Testbed, case: Case, seconds: float, endpoints: int) -> InFlightCost:
    """One run, on topics of its own. Raises `SubjectFailed` when the dispatcher ends."""
    settings = testbed.settings()
    kafka_topics.ensure(settings)
    offsets = Offsets(settings)
    warm_up = case.delay + SETTLE
    # Less than half of its share, or a lane would not have its full cap.
    share = max(128, 3 * case.in_flight)
    with Receiver(delay=case.delay) as sink:
        mine = OURS.settings(settings, share, max(16, math.ceil(8 * case.in_flight / endpoints)))
        with Running(OURS, mine, testbed.folder / "in-flight.log", testbed.cores) as running:
            running.await_ready()
            time.sleep(1)  # what starting left behind is given back by now, or never
            idle = busy = running.resident()
            figures = (endpoints, sink.port, case.rate, warm_up + seconds, 1)
            load = module("bench.load", *figures, testbed.folder / "load")
            with Child(load, environment_of(settings)) as dispatches:
                time.sleep(warm_up)
                received, cpu, at = sink.count(), running.cpu_seconds(), time.monotonic()
                flying = 0.0
                while (passed := time.monotonic() - at) < seconds:
                    busy = max(busy, running.resident())
                    if not flying and passed > seconds / 2:
                        flying = running.gauge(_IN_FLIGHT)
                    time.sleep(0.1)
                received, cpu = sink.count() - received, running.cpu_seconds() - cpu
                took = time.monotonic() - at
                late = int(dispatches.result())
            time.sleep(case.delay)
    offsets.empty()
    offsets.forget(settings.topic_prefix + GROUP)
    return InFlightCost(cpu / max(1, received) * 1e6, received / took, flying, idle, busy, late)


def _table(runs: dict[Case, list[InFlightCost]]) -> Table:
    base = [run.cpu for run in runs.get(AT_64, ())]
    rows = [
        [
            f"{case.delay:g} s, {case.rate:,.0f}/s",
            ranged([run.in_flight for run in found], 0),
            ranged([run.cpu for run in found]),
            ranged(ratios([run.cpu for run in found], base), 2),
            ranged([run.per_second for run in found], 0),
            ranged([run.idle / 1e6 for run in found], 0),
            ranged([run.busy / 1e6 for run in found], 0),
            # Of few in flight it would say nothing: what is shared is most of it.
            ranged([run.kilobytes for run in found]) if case.in_flight >= 500 else "",
            ranged([run.late / 1000 for run in found]),
        ]
        for case, found in runs.items()
    ]
    columns = ["endpoints take, dispatches", "in flight", "CPU µs a delivery", "of that at 64",
               "deliveries/s", "idle MB", "busy MB", "kB a request in flight",
               "load late p99 ms"]  # fmt: skip
    return Table("Memory and CPU against requests in flight", columns, rows)


def _claims(runs: dict[Case, list[InFlightCost]]) -> list[Claim]:
    many, few = runs.get(AT_10_000, []), runs.get(AT_64, [])
    if not many:
        return []
    text = "CPU a delivery with 10,000 in flight, in times of that with 64"
    return [
        Claim("Memory a request with 10,000 in flight", [run.kilobytes for run in many], KB_LIMIT,
              unit=" kB"),
        Claim(text, ratios([run.cpu for run in many], [run.cpu for run in few]), CPU_TIMES),
    ]  # fmt: skip


PARTS = {
    "scale-in-flight": Part(
        lambda testbed, rounds: measure(testbed, rounds=rounds),
        lambda testbed: measure(testbed, rounds=1, cases=QUICK_CASES, seconds=3.0, endpoints=100),
    ),
}

"""What a delivery costs: our dispatcher beside its peers, on one core, from Kafka to the endpoint.

    python -m bench.delivery [--tls] [--rounds 5] [--count 150000] [--endpoints 50] [--quick]

All do the same work: the same topics and records, 12 parameters, an attempt written for each, at
least once, as many in flight. The runs of all subjects alternate, so that a busy machine disturbs
all alike; ratios are of runs in the same round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bench.command import parser, rounds_of, run
from bench.part import Part
from bench.report import Claim, Result, Table, out
from bench.stats import ranged, ratios, rotated
from bench.subjects import (
    DISPATCHERS,
    GO,
    OBVIOUS,
    OURS,
    PARALLEL_CONSUMER,
    Subject,
    SubjectFailed,
    available,
)
from bench.testbed import Testbed, or_leave_out
from bench.throughput import DeliveryCost, Throughput

COUNT, QUICK_COUNT, ENDPOINTS, IN_FLIGHT = 150_000, 10_000, 50, 64
CPU_LIMIT = 45.0
"""Microseconds a delivery."""
TIMES = {GO.name: 1.3, PARALLEL_CONSUMER.name: 2.5, OBVIOUS.name: 3.0}
"""Our deliveries a CPU second, in theirs; over TLS only Go is to be matched."""
TIMES_TLS = {GO.name: 1.0}
_MB = 1024 * 1024

Runs = Mapping[str, Sequence[DeliveryCost]]
"""By subject, one a round."""


def measure(
    testbed: Testbed,
    *,
    rounds: int,
    count: int = COUNT,
    endpoints: int = ENDPOINTS,
    in_flight: int = IN_FLIGHT,
    delay: float = 0.0,
    tls: bool = False,
    subjects: Sequence[Subject] = DISPATCHERS,
) -> Result:
    """Every subject in every round."""
    subjects, notes = available(subjects, out.print)
    runs: dict[str, list[DeliveryCost]] = {subject.name: [] for subject in subjects}
    with Throughput(testbed, count, endpoints, tls=tls, delay=delay) as throughput:
        for number in range(rounds):
            for subject in rotated(subjects, number):
                try:
                    run = throughput.run(subject, in_flight)
                except SubjectFailed as failure:
                    notes.append(or_leave_out(failure, subject is OURS))
                    subjects = [one for one in subjects if one is not subject]
                    continue
                runs[subject.name].append(run)
                out.print(f"round {number + 1}, {subject.name}: {run.cpu:.1f} µs a delivery,"
                          f" {run.per_second:,.0f}/s")  # fmt: skip
    how = "HTTPS" if tls else "plain HTTP"
    notes.insert(0, f"{count:,} dispatches to {endpoints:,} origins, {in_flight} in flight,"
                 f" {how} with keep-alive; {rounds} rounds, medians (ranges).")  # fmt: skip
    notes.insert(1, testbed.pinning())
    return result(runs, tls, notes)


def result(runs: Runs, tls: bool, notes: list[str]) -> Result:
    """Tables and claims from what was measured."""
    return Result(
        name="delivery-tls" if tls else "delivery",
        title=f"A delivery, {'HTTPS' if tls else 'plain HTTP'}",
        tables=[costs(runs), accounts(runs)],
        claims=claims(runs, tls),
        notes=notes,
        data={name: [asdict(run) for run in found] for name, found in runs.items()},
    )


def costs(runs: Runs) -> Table:
    """CPU of every process, and speed."""
    ours = [run.cpu for run in runs.get(OURS.name, ())]
    rows = []
    for name, found in runs.items():
        cpu = [run.cpu for run in found]
        rows.append(
            [
                name,
                ranged(cpu),
                ranged([run.per_second for run in found], 0),
                ranged(ratios(cpu, ours), 2),
                ranged([run.sink_cpu for run in found]),
                ranged([run.broker_cpu for run in found]),
                ranged([run.resident / _MB for run in found], 0),
            ]
        )
    columns = ["", "CPU µs a delivery", "deliveries/s", "its CPU / ours", "sink's CPU µs",
               "broker's CPU µs", "RSS MB"]  # fmt: skip
    return Table("What it costs", columns, rows)


def accounts(runs: Runs) -> Table:
    """Whether all of the work was done: totals of all rounds."""
    rows = [
        [
            name,
            f"{sum(run.sent for run in found):,}",
            f"{sum(run.received for run in found):,}",
            f"{sum(run.attempts for run in found):,}",
            f"{sum(run.lag for run in found):,}",
        ]
        for name, found in runs.items()
    ]
    columns = ["", "dispatches", "requests received", "attempts written", "not committed"]
    return Table("Whether all was done, all rounds together", columns, rows)


def claims(runs: Runs, tls: bool) -> list[Claim]:
    """What it must show. A peer that was not measured makes no claim."""
    ours = [run.cpu for run in runs.get(OURS.name, ())]
    made = [] if tls else [Claim("CPU of ours a delivery", ours, CPU_LIMIT, unit=" µs")]
    for name, times in (TIMES_TLS if tls else TIMES).items():
        theirs = [run.cpu for run in runs.get(name, ())]
        if theirs:
            over = " over HTTPS" if tls else ""
            text = f"Deliveries{over} a CPU second, ours in times of {name}"
            made.append(Claim(text, ratios(theirs, ours), times, at_least=True))
    return made


PARTS = {
    "delivery": Part(
        lambda testbed, rounds: measure(testbed, rounds=rounds),
        lambda testbed: measure(testbed, rounds=1, count=QUICK_COUNT),
    ),
    "delivery-tls": Part(
        lambda testbed, rounds: measure(testbed, rounds=rounds, tls=True),
        lambda testbed: measure(testbed, rounds=1, count=QUICK_COUNT, tls=True),
    ),
}


def main() -> None:
    """Measure and print."""
    names = {subject.name: subject for subject in DISPATCHERS}
    arguments = parser(__doc__)
    arguments.add_argument("--count", type=int, help="dispatches")
    arguments.add_argument("--endpoints", type=int, default=ENDPOINTS)
    arguments.add_argument("--in-flight", type=int, default=IN_FLIGHT)
    arguments.add_argument("--delay", type=float, default=0.0, help="of the endpoints, seconds")
    arguments.add_argument("--tls", action="store_true")
    arguments.add_argument("--only", help="subjects, comma between: " + ", ".join(names))
    asked = arguments.parse_args()
    chosen = asked.only.split(",") if asked.only else list(names)
    if unknown := set(chosen) - set(names):
        arguments.error(f"no subjects: {', '.join(unknown)}")
    run(
        lambda testbed: measure(
            testbed,
            rounds=rounds_of(asked),
            count=asked.count or (QUICK_COUNT if asked.quick else COUNT),
            endpoints=asked.endpoints,
            in_flight=asked.in_flight,
            delay=asked.delay,
            tls=asked.tls,
            subjects=[names[name] for name in chosen],
        )
    )


if __name__ == "__main__":
    main()

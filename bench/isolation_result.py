"""`bench.isolation` as a part of `make bench`: the same runs, told as a `Result`."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench import isolation
from bench.part import Part
from bench.report import Claim, Result, Table, out
from bench.rig import Rig, Run
from bench.stats import growth, quantile, ranged, ratios
from bench.testbed import Testbed

SECONDS, WARM_UP, SOAK = 60.0, 5.0, 600.0
QUICK_SECONDS, QUICK_WARM_UP, QUICK_RATE = 5.0, 2.0, 100.0
WELL, SPOILT = "none bad", "a fifth bad"
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Isolation:
    """Of one run: of dispatches for endpoints that are healthy in all runs. Milliseconds."""

    p50: float
    p99: float
    p999: float
    most: float
    received: float
    """A second."""
    share: float
    """Of those produced, how many came before the load ended."""
    missing: int
    twice: int
    cpu: float
    """Cores that the dispatcher used."""
    late: float
    """p99 of how late the load itself was."""


Runs = Mapping[str, Sequence[Isolation]]
"""`WELL` and `SPOILT`, one a round."""


def told(run: Run) -> Isolation:
    """A run in figures."""
    it = run.arrivals
    p50, p99, p999, most = (quantile(it.latencies, s) / 1000 for s in (0.5, 0.99, 0.999, 1.0))
    return Isolation(
        p50, p99, p999, most,
        received=it.received / run.seconds,
        share=it.received / max(1, it.produced),
        missing=it.missing,
        twice=it.duplicates,
        cpu=statistics.fmean(sample.cpu for sample in run.samples),
        late=run.late / 1000,
    )  # fmt: skip


def measure(
    testbed: Testbed,
    *,
    rounds: int,
    seconds: float = SECONDS,
    warm_up: float = WARM_UP,
    soak: float = SOAK,
    rate: float | None = None,
) -> Result:
    """Runs with and without bad endpoints in turn, then a long one with; `rate` dispatches a
    second, looked for where not given."""

    def run(length: float, seed: int, spoil: bool) -> Run:
        with Rig(testbed.bootstrap, testbed.cores, isolation.COUNT, testbed.folder) as rig:
            return rig.run(load, warm_up, length, seed, spoil)

    load = rate or isolation.half_busy(testbed.bootstrap, testbed.cores, testbed.folder)
    runs: dict[str, list[Isolation]] = {WELL: [], SPOILT: []}
    for number in range(1, rounds + 1):
        # Each goes first in every other round: a machine may get slower or quicker meanwhile.
        for spoil in (False, True) if number % 2 else (True, False):
            found = run(seconds, number, spoil)
            name = SPOILT if spoil else WELL
            runs[name].append(told(found))
            isolation.tell(f"round {number}, {name}", found)
    samples = run(soak, rounds + 1, True).samples if soak else []
    out.print(f"{load:.0f} dispatches a second")
    notes = [
        f"{isolation.COUNT} endpoints, {load:.0f} dispatches a second"
        f"{'' if rate else ', which keep the dispatcher half busy'}; {rounds} rounds of"
        f" {seconds:g} s, medians (ranges).",
        "A fifth turns bad at once: 10 % hang, 5 % answer 500, 5 % send a byte a second. Latency is"
        " from routed to received at those that are healthy throughout, from that moment on.",
        testbed.pinning(),
    ]
    return result(runs, [(one.at, one.resident) for one in samples], notes)


def result(runs: Runs, memory: Sequence[tuple[float, int]], notes: list[str]) -> Result:
    """Tables and claims from what was measured; `memory` is seconds and bytes of a long run."""
    rows = [
        [
            name,
            *(ranged([getattr(one, each) for one in found]) for each in ("p50", "p99", "p999")),
            ranged([one.most for one in found], 0),
            ranged([one.received for one in found]),
            f"{min((one.share for one in found), default=0):.2%}",
            f"{sum(one.missing for one in found):,}",
            f"{sum(one.twice for one in found):,}",
            ranged([one.cpu for one in found], 2),
            ranged([one.late for one in found]),
        ]
        for name, found in runs.items()
    ]
    columns = ["", "p50 ms", "p99", "p99.9", "longest", "received/s", "of produced",
               "missing", "twice", "CPU cores", "load late p99 ms"]  # fmt: skip
    well, spoilt = runs[WELL], runs[SPOILT]
    claims = [
        Claim("p99 at healthy endpoints with a fifth bad, in times of that without",
              ratios([one.p99 for one in spoilt], [one.p99 for one in well]),
              isolation.LATENCY_LIMIT),
        Claim("Received by healthy endpoints a second, likewise",
              ratios([one.received for one in spoilt], [one.received for one in well]),
              isolation.THROUGHPUT_LIMIT, at_least=True),
    ]  # fmt: skip
    tables = [Table("Healthy endpoints", columns, rows)]
    if memory:
        grown, slope = growth([(at / 60, resident / _MB) for at, resident in memory])
        text = "Memory with a fifth bad, second half of a long run in times of the first"
        claims.append(Claim(text, [grown], isolation.MEMORY_LIMIT))
        first, last = (resident / _MB for _, resident in (memory[0], memory[-1]))
        row = [f"{memory[-1][0] / 60:.1f}", f"{first:.1f}", f"{last:.1f}", f"{slope:+.2f}"]
        columns = ["minutes", "RSS MB at first", "at last", "MB a minute in the second half"]
        tables.append(Table("The long run with bad endpoints", columns, [row]))
    return Result(
        name="isolation",
        title="Bad endpoints beside healthy ones",
        tables=tables,
        claims=claims,
        notes=notes,
        data={
            "runs": {name: [asdict(one) for one in found] for name, found in runs.items()},
            "memory": [list(one) for one in memory],
        },
    )


PARTS = {
    "isolation": Part(
        lambda testbed, rounds: measure(testbed, rounds=rounds),
        lambda testbed: measure(
            testbed, rounds=1, seconds=QUICK_SECONDS, warm_up=QUICK_WARM_UP, soak=0, rate=QUICK_RATE
        ),
    ),
}

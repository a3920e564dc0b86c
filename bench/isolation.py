"""Do bad endpoints harm the others? One dispatcher, 200 endpoints, with a fifth of them bad or not.

    python -m bench.isolation [--seconds 60] [--rounds 5] [--soak 600] [--rate RATE]

Starts a Kafka of its own, and for each run topics, endpoints and a dispatcher with default settings
on a core of its own. Dispatches are written straight onto `pca.dispatch`, so what is measured
begins at `routed_at` and ends when an endpoint has read the request. First it looks for the rate
that keeps the dispatcher half busy. Then runs without and with bad endpoints take turns: after a
warm-up 10 % hang for ever, 5 % answer 500, 5 % dribble a byte a second, and it is measured from
that moment on, so what it takes to find out counts too. In both, latencies are those of the 160
that are healthy in both, under the same load to the microsecond. Last, bad ones for ten minutes:
does memory grow?
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.arrivals import quantile, slope
from bench.endpoints import BAD
from bench.rig import Rig, Run
from bench.samples import ATTEMPTS, PUT_OFF, Cores, Metrics, Sample, books_of, divided
from console.interruption import interruptible
from deploy.kafka.broker import LocalKafka

COUNT = 200
HALF = 0.5
LATENCY_LIMIT, THROUGHPUT_LIMIT, MEMORY_LIMIT = 1.2, 0.97, 1.05
"""p99 and throughput with bad endpoints, of what they are without; mean memory in the second half
of the soak, its first fifth left out, of that in the first half."""
_FIRST_RATE = 300.0
_MB = 1024 * 1024
out = Console(soft_wrap=True, width=max(110, Console().width))


def half_busy(bootstrap: str, cores: Cores, folder: Path) -> float:
    """The rate, dispatches a second, at which the dispatcher uses half a core."""
    rate, found = _FIRST_RATE, []
    with Rig(bootstrap, cores, COUNT, folder) as rig:
        for _ in range(6):
            share, tried = rig.cpu(rate, 2.0, 4.0)
            found.append(f"{tried:.0f}/s {share:.0%}")
            if tried < 0.9 * rate:
                out.print(f"[yellow]{rate:.0f}/s do not get through: others are busy here")
            rate = tried * min(3.0, HALF / share)
            if abs(share - HALF) < 0.02:
                break
    out.print(f"Half busy: {rate:.0f} dispatches a second ({', '.join(found)})")
    return rate


def show(runs: Sequence[tuple[str, Run]]) -> None:
    """What was measured, and under which circumstances."""
    came = Table("healthy", "p50 ms", "p99", "p99.9", "max", "p99 first 20 s", "arrived/s",
                 "of sent", "missing", "twice")  # fmt: skip
    around = Table(
        "run", "dispatcher's CPU", "its core", "the others", "RSS MB", "load late p99 ms"
    )
    for name, run in runs:
        it, samples = run.arrivals, run.samples
        came.add_row(
            name,
            *(f"{quantile(it.latencies, share) / 1000:.1f}" for share in (0.5, 0.99, 0.999, 1.0)),
            f"{quantile(it.onset, 0.99) / 1000:.1f}",
            f"{it.received / run.seconds:.1f}",
            f"{it.received / max(1, it.produced):.2%}",
            f"{it.missing}",
            f"{it.duplicates}",
        )
        around.add_row(
            name,
            *(f"{_mean(field, samples):.0%}" for field in ("cpu", "core", "elsewhere")),
            f"{samples[0].resident / _MB:.0f} to {samples[-1].resident / _MB:.0f}",
            f"{run.late / 1000:.1f}",
        )
    for table in (came, around):
        for column in table.columns[1:]:
            column.justify = "right"
        out.print(table)


def _mean(field: str, samples: Sequence[Sample]) -> float:
    return statistics.fmean(float(getattr(sample, field)) for sample in samples)


def tell(name: str, run: Run) -> None:
    """What became of the dispatches, so that the figures are believed."""
    came, change = run.arrivals, run.change
    meant = ", ".join(f"{kind} {came.bad[kind]:,} → {came.tries[kind]:,} tries" for kind, _ in BAD)
    changes = _listed(change, "pca_endpoint_changes_total")
    out.print(f"{name}: meant for the bad ones: {meant}")
    out.print(f"  attempts    {_listed(change, ATTEMPTS)}")
    out.print(f"  put off     {_listed(change, PUT_OFF)}")
    out.print(f"  endpoints   {changes}; at the end {_listed(run.final, 'pca_endpoints')}")
    books = books_of(run.final)
    out.print(
        f"  books       {books.read:,} records read = {books.tried:,} tried"
        f" + {books.put_off:,} put off + {books.in_hand:,} in hand, {books.over:+,}"
    )


def _listed(metrics: Metrics, name: str) -> str:
    found = {" ".join(filter(None, key[1:])): n for key, n in metrics.items() if key[0] == name}
    return ", ".join(f"{label} {n:,}" for label, n in sorted(found.items()) if n) or "none"


def compare(pairs: Sequence[tuple[Run, Run]]) -> None:
    """Each round's ratio of with to without, their medians, and what they are to be."""
    p99 = [(quantile(a.arrivals.latencies, 0.99), quantile(b.arrivals.latencies, 0.99))
           for a, b in pairs]  # fmt: skip
    slower = [b / a for a, b in p99]
    speeds = [(a.arrivals.received / a.seconds, b.arrivals.received / b.seconds) for a, b in pairs]
    through = [b / a for a, b in speeds]
    well = [a for a, _ in p99]
    out.print(
        f"p99 with bad ones, of that without: {_ratios(slower)}; median"
        f" {statistics.median(slower):.2f}, to be at most {LATENCY_LIMIT}:"
        f" {_judgement(statistics.median(slower) <= LATENCY_LIMIT)}"
    )
    out.print(
        f"throughput of the healthy likewise: {_ratios(through, 4)}; median"
        f" {statistics.median(through):.4f}, to be at least {THROUGHPUT_LIMIT}:"
        f" {_judgement(statistics.median(through) >= THROUGHPUT_LIMIT)}"
    )
    out.print(
        f"noise: the greatest p99 without bad ones is {max(well) / min(well):.2f} times the least"
    )


def _ratios(values: Sequence[float], digits: int = 2) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values)


def _judgement(holds: bool) -> str:
    return "[green]holds[/]" if holds else "[red]does not hold[/]"


def tell_of_memory(run: Run) -> None:
    """Whether it stays flat."""
    samples = run.samples
    table = Table("at s", "RSS MB", "CPU", "retries held", title="The soak")
    marks = [samples[min(len(samples) - 1, len(samples) * tenth // 10)] for tenth in range(11)]
    for sample in marks:
        table.add_row(
            f"{sample.at:.0f}", f"{sample.resident / _MB:.1f}", f"{sample.cpu:.0%}",
            f"{sample.delayed:,}",
        )  # fmt: skip
    out.print(table)
    # The first fifth is warm-up: what is kept up to some limit fills up to it.
    settled = samples[len(samples) // 5 :]
    half = len(settled) // 2
    first = statistics.fmean(sample.resident for sample in settled[:half])
    second = statistics.fmean(sample.resident for sample in settled[half:])
    points = [(sample.at / 60, sample.resident / _MB) for sample in settled[half:]]
    out.print(
        f"memory after the first fifth: first half {first / _MB:.1f} MB,"
        f" second half {second / _MB:.1f} MB on average, {second / first:.3f} times, to be at most"
        f" {MEMORY_LIMIT}: {_judgement(second / first <= MEMORY_LIMIT)};"
        f" slope in the second half {slope(points):+.2f} MB a minute"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="of a run, after its warm-up")
    parser.add_argument("--warm-up", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5, help="each once without, once with")
    parser.add_argument("--soak", type=float, default=600, help="seconds; 0 for none")
    parser.add_argument("--rate", type=float, help="dispatches a second; looked for where not set")
    asked = parser.parse_args()
    if min(asked.seconds, asked.soak or asked.seconds) < 5:
        parser.error("a run takes 5 seconds at least")
    cores = divided()
    out.print(
        f"The dispatcher is pinned to CPU {min(cores.stage)}, all else to {sorted(cores.others)}"
        if cores.stage
        else "Processes cannot be pinned here: the dispatcher shares its core with the rest"
    )
    with interruptible(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kafka = LocalKafka(folder / "kafka")
        try:
            kafka.start(report=out.print)
            measure(asked, kafka.bootstrap, cores, folder)
        finally:
            kafka.stop()


def measure(asked: argparse.Namespace, bootstrap: str, cores: Cores, folder: Path) -> None:
    """Everything that was asked for."""

    def run(seconds: float, seed: int, spoil: bool) -> Run:
        with Rig(bootstrap, cores, COUNT, folder) as rig:
            return rig.run(rate, asked.warm_up, seconds, seed, spoil)

    rate = asked.rate or half_busy(bootstrap, cores, folder)
    pairs, runs = [], []
    for number in range(1, asked.rounds + 1):
        both = {}
        # Each goes first in every other round: a machine may get slower or quicker meanwhile.
        for spoil in (False, True) if number % 2 else (True, False):
            both[spoil] = run(asked.seconds, number, spoil)
            name = f"{number} {'with' if spoil else 'without'}"
            runs.append((name, both[spoil]))
            tell(name, both[spoil])
        pairs.append((both[False], both[True]))
    if pairs:
        show(runs)
        compare(pairs)
    if asked.soak:
        soaked = run(asked.soak, asked.rounds + 1, True)
        tell_of_memory(soaked)
        show([("soak", soaked)])
        tell("soak", soaked)


if __name__ == "__main__":
    main()

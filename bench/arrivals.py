"""What was sent, what came, and how long it took: arithmetic on two logs."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.endpoints import Behaviour, behaviour
from bench.stats import quantile, slope

__all__ = ["ONSET", "Arrivals", "Pairs", "judged", "quantile", "read_pairs", "slope"]

ONSET = 20_000_000
"""Microseconds from when the bad endpoints turn bad: longer than the dispatcher's deadline, so
until then nothing is known of those that hang."""

Pairs = Sequence[tuple[int, int]]
"""Number of a dispatch or call, and microseconds since 1970."""


def read_pairs(path: Path) -> list[tuple[int, int]]:
    """What a load, a sink or the endpoints wrote: eight bytes for each of the two."""
    flat = array("q", path.read_bytes())
    return list(zip(flat[0::2], flat[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Of one load, warm-up left out unless it says so. Latencies in microseconds, sorted."""

    latencies: list[int]
    """Routed to received, first arrivals at healthy endpoints."""
    onset: list[int]
    """Those of them that were routed in the first `ONSET`."""
    produced: int
    """For healthy endpoints."""
    received: int
    """Of these, how many came before the load ended."""
    missing: int
    """Of the healthy ones' how many never came, warm-up included."""
    duplicates: int
    """Of the healthy ones' how many came again, warm-up included."""
    bad: Counter[Behaviour]
    """Produced for bad endpoints."""
    tries: Counter[Behaviour]
    """Requests that bad endpoints have had."""


def judged(sent: Pairs, came: Pairs, count: int, start: int, end: int) -> Arrivals:
    """What the logs of `bench.load` and `bench.endpoints` say of the time from `start` to `end`,
    microseconds since 1970; `count` endpoints."""
    kinds = [behaviour(index, count) for index in range(count)]
    first: dict[int, int] = {}
    arrivals, tries = 0, Counter[Behaviour]()
    for n, at in came:
        kind = kinds[n % count]
        if kind == "healthy":
            arrivals += 1
            first.setdefault(n, at)
        elif at >= start:
            tries[kind] += 1
    latencies, onset, bad = [], [], Counter[Behaviour]()
    produced = received = missing = 0
    for n, routed_at in sent:
        kind = kinds[n % count]
        measured = routed_at >= start
        if kind != "healthy":
            bad[kind] += measured
            continue
        arrived = first.get(n)
        missing += arrived is None
        produced += measured
        if measured and arrived is not None:
            latencies.append(arrived - routed_at)
            received += arrived < end
            if routed_at < start + ONSET:
                onset.append(arrived - routed_at)
    return Arrivals(
        sorted(latencies), sorted(onset), produced, received, missing, arrivals - len(first),
        bad, tries,
    )  # fmt: skip

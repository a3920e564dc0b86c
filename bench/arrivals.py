"""What was sent, what came, and how long it took: arithmetic on two logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.endpoints import Behaviour, behaviour

ONSET = 20_000_000
"""Microseconds from when the bad endpoints turn bad: longer than the dispatcher's deadline, so
until then nothing is known of those that hang."""

Pairs = Sequence[tuple[int, int]]
"""Number of a dispatch, and microseconds since 1970."""


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


def quantile(ordered: Sequence[int], share: float) -> float:
    """Of sorted values; 0 without any."""
    return float(ordered[min(len(ordered) - 1, int(len(ordered) * share))]) if ordered else 0.0


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line that fits best, y per x."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0

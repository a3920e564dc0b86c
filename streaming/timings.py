"""A histogram for what happens thousands of times a second."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import REGISTRY, Metric
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry


class Timings(Collector):
    """Counted in plain slots by one thread, and added up at a scrape: prometheus_client's own takes
    two locks and a walk through its buckets for each value."""

    def __init__(
        self,
        name: str,
        documentation: str,
        bounds: Sequence[float],
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        """`bounds` in seconds, ascending, without infinity."""
        self.name = name
        self.documentation = documentation
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def add(self, seconds: float) -> None:
        """One more. By one thread only."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def describe(self) -> Iterable[Metric]:
        """What `collect` will give."""
        yield HistogramMetricFamily(self.name, self.documentation)

    def collect(self) -> Iterable[Metric]:
        """All that was added so far."""
        sums = accumulate(self._counts)
        buckets = [(str(bound), count) for bound, count in zip(self._bounds, sums, strict=False)]
        family = HistogramMetricFamily(self.name, self.documentation)
        family.add_metric([], [*buckets, ("+Inf", sum(self._counts))], self._sum)
        yield family

"""What the demo counts while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from console.demo.receiver import Arrival
from console.demo.scenario import Story


@dataclass(slots=True)
class Tally:
    """Everything the picture shows. The stages' own counts come from their /metrics."""

    stories: Sequence[Story]
    arrivals: Sequence[Arrival]
    calls: int = 0
    """All that will be made."""
    posted: dict[str, float] = field(default_factory=dict)
    """sid → when its POST began, seconds of `time.perf_counter`."""
    made: int = 0
    metrics: Counter[str] = field(default_factory=Counter)
    """`calls_routed` → 300; `attempts/retry` → 14."""

    def read(self, *pages: str) -> None:
        """Take over what /metrics pages say; a page that did not come changes nothing."""
        for page in filter(None, pages):
            fresh: Counter[str] = Counter()
            for family in text_string_to_metric_families(page):
                for sample in family.samples:
                    if sample.name.startswith("pca_") and sample.name.endswith("_total"):
                        name = sample.name.removeprefix("pca_").removesuffix("_total")
                        if name == "attempts":
                            name += "/" + sample.labels["outcome"]
                        fresh[name] += int(sample.value)
            # A stage's page tells of the others' counters too, as never moved.
            self.metrics |= fresh

    def latencies(self) -> list[float]:
        """Milliseconds from the POST of a call to the first arrival of each request, sorted."""
        sids = {one.webhook_id: s.calls[0]["sid"] for s in self.stories for one in s.expected}
        first: dict[str, float] = {}
        for arrival in list(self.arrivals):
            if arrival.webhook_id in sids:
                first.setdefault(arrival.webhook_id, arrival.at)
        return sorted((at - self.posted[sids[id_]]) * 1000 for id_, at in first.items())

    def latency(self) -> str:
        """`p50 4.1 ms, p99 12.3 ms`; empty before the first request."""
        known = self.latencies()
        if not known:
            return ""
        p50, p99 = (known[min(len(known) - 1, int(len(known) * share))] for share in (0.5, 0.99))
        return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"

"""A process looked at every second: CPU, memory, and what its metrics say."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Self

import psutil
from prometheus_client.parser import text_string_to_metric_families

from bench.cpu import Cores, cpu_seconds, divided
from console.supervisor import StageProcess

__all__ = [
    "ATTEMPTS", "PUT_OFF", "Books", "Cores", "Metrics", "Sample", "Sampler", "books_of", "divided",
    "metrics_of",
]  # fmt: skip

ATTEMPTS = "pca_attempts_total"
PUT_OFF = "pca_dispatches_put_off_total"
_READ = "pca_records_consumed_total"
_HANDS = ("pca_requests_in_flight", "pca_dispatches_waiting", "pca_dispatches_delayed")
_WATCHED = frozenset(
    {ATTEMPTS, PUT_OFF, _READ, *_HANDS, "pca_endpoint_changes_total", "pca_endpoints"}
)

Metrics = Counter[tuple[str, ...]]
"""(name, label values…) → value."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A second. `at` is seconds since the first; `cpu` the process's own use, in cores; `core` and
    `elsewhere` how busy its core and the others were with everything, neighbours included."""

    at: float
    cpu: float
    core: float
    elsewhere: float
    resident: int
    """Bytes."""
    delayed: int
    """Retries held until they are due."""


class Sampler:
    """Samples a stage each second, from a thread of its own, while it is entered."""

    def __init__(self, stage: StageProcess, cores: Cores) -> None:
        self._stage = stage
        self._process = psutil.Process(stage.pid)
        self._cores = cores
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples: list[Sample] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def cpu_seconds(self) -> float:
        """That the process has used since it began."""
        return cpu_seconds(self._process.pid)

    def _run(self) -> None:
        began = at = time.monotonic()
        used = self.cpu_seconds()
        psutil.cpu_percent(percpu=True)
        while not self._ended.wait(1.0):
            try:
                self._sample(began, at, used)
            except (OSError, psutil.NoSuchProcess):
                return
            at, used = time.monotonic(), self.cpu_seconds()

    def _sample(self, began: float, before: float, used: float) -> None:
        now = time.monotonic()
        cpus = dict(enumerate(psutil.cpu_percent(percpu=True)))
        stage = [cpus[number] / 100 for number in self._cores.stage]
        others = [cpus[number] / 100 for number in self._cores.others] or [0.0]
        self.samples.append(
            Sample(
                now - began,
                (self.cpu_seconds() - used) / (now - before),
                sum(stage),
                sum(others) / len(others),
                self._process.memory_info().rss,
                metrics_of(self._stage)["pca_dispatches_delayed",],
            )
        )


def metrics_of(stage: StageProcess) -> Metrics:
    """What a stage's metrics say now."""
    return Counter(
        {
            (sample.name, *sample.labels.values()): int(sample.value)
            for family in text_string_to_metric_families(stage.metrics())
            for sample in family.samples
            if sample.name in _WATCHED
        }
    )


@dataclass(frozen=True, slots=True)
class Books:
    """Of the dispatches that a dispatcher has read: where each of them is."""

    read: int
    """From `pca.dispatch` and every retry topic."""
    tried: int
    put_off: int
    in_hand: int

    @property
    def over(self) -> int:
        """Those of which nothing is known. Nonzero for a moment while records come: gauges are
        brought up to date after counters."""
        return self.read - self.tried - self.put_off - self.in_hand


def books_of(metrics: Metrics) -> Books:
    """The books, from all that a dispatcher's metrics say since it began."""

    def total(*names: str) -> int:
        return sum(n for key, n in metrics.items() if key[0] in names)

    return Books(total(_READ), total(ATTEMPTS), total(PUT_OFF), total(*_HANDS))

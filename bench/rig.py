"""One dispatcher between a load and many endpoints, each a process of its own, and what it did.

The dispatcher has a core to itself where the system can pin processes; Kafka, the load, the
endpoints and this process share the others.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.arrivals import Arrivals, Pairs, judged, read_pairs
from bench.children import Child, module
from bench.cpu import Cores
from bench.endpoints import behaviour
from bench.samples import ATTEMPTS, Metrics, Sample, Sampler, books_of, metrics_of
from bench.testbed import settings_for
from console.supervisor import StageProcess, environment_of
from deploy.ports import free_port
from streaming import topics as kafka_topics

DRAIN_SECONDS = 15.0
"""How long what was sent to healthy endpoints may take to arrive after the load has ended."""
SETTLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured in one load, its warm-up left out."""

    seconds: float
    arrivals: Arrivals
    samples: list[Sample]
    change: Metrics
    """Of the metrics, from the end of the warm-up until all was in."""
    final: Metrics
    """The metrics when all was in."""
    late: int
    """p99 of how late the load itself was, microseconds."""


class Rig:
    """Topics of its own, endpoints, and a dispatcher with default settings."""

    def __init__(self, bootstrap: str, cores: Cores, count: int, folder: Path) -> None:
        """`count` endpoints; files go to a new folder in `folder`."""
        self._cores = cores
        self._count = count
        self._folder = folder / uuid.uuid4().hex[:8]
        self._folder.mkdir()
        self._settings = settings_for(bootstrap, f"{self._folder.name}.", self._folder)
        self._port = free_port()
        self._loads = self._due = 0
        self._environment = environment_of(self._settings)
        figures = (count, self._port, self._folder / "received")
        self._endpoints = Child(module("bench.endpoints", *figures), self._environment)
        self._stage = StageProcess(
            "dispatcher", "dispatcher", self._environment, self._folder / "log"
        )

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._topics = kafka_topics.ensure(self._settings)
            stack.callback(self._delete_topics)
            stack.enter_context(self._endpoints)
            # Killed: with requests hanging it would take its full time to stop.
            stack.callback(self._stage.kill)
            with self._cores.for_the_stage():
                self._stage.start()
            self._stage.await_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _delete_topics(self) -> None:
        client = kafka_topics.admin(self._settings)
        for deleted in client.delete_topics(list(self._topics.all)).values():
            deleted.result(30)

    def cpu(self, rate: float, warm_up: float, seconds: float) -> tuple[float, float]:
        """How busy the dispatcher is with about `rate` dispatches a second, in cores, and how many
        a second it really tried. All endpoints are healthy."""
        with self._load(rate, warm_up + seconds, 0) as load:
            time.sleep(warm_up)
            sampler = Sampler(self._stage, self._cores)
            used, began, tried = sampler.cpu_seconds(), time.monotonic(), self._tried()
            time.sleep(seconds)
            used, tried = sampler.cpu_seconds() - used, self._tried() - tried
            took = time.monotonic() - began
            self._late(load)
        self._await(read_pairs(self._sent))
        return used / took, tried / took

    def _tried(self) -> int:
        return sum(n for key, n in metrics_of(self._stage).items() if key[0] == ATTEMPTS)

    def run(self, rate: float, warm_up: float, seconds: float, seed: int, spoil: bool) -> Run:
        """The last use of the rig: a load, in which the bad ones turn bad after `warm_up`."""
        with self._load(rate, warm_up + seconds, seed) as load:
            time.sleep(warm_up)
            before = metrics_of(self._stage)
            start = time.time()
            if spoil:
                self._endpoints.tell("spoil")
            with Sampler(self._stage, self._cores) as sampler:
                late = self._late(load)
            end = time.time()
        sent = read_pairs(self._sent)
        self._await(sent)
        final = self._settled()
        self._endpoints.stop()
        came = read_pairs(self._folder / "received")
        arrivals = judged(sent, came, self._count, int(start * 1e6), int(end * 1e6))
        change = Counter(final)
        change.subtract(before)
        return Run(end - start, arrivals, sampler.samples, change, final, late)

    def _await(self, sent: Pairs) -> None:
        """Until the healthy endpoints have had what was sent, or too long."""
        kinds = [behaviour(index, self._count) for index in range(self._count)]
        self._due += sum(kinds[n % self._count] == "healthy" for n, _ in sent)
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            if int(self._endpoints.ask("count")) >= self._due:
                return
            time.sleep(0.1)

    def _settled(self) -> Metrics:
        """The metrics at a moment when the books agree, if there is one soon."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while books_of(found := metrics_of(self._stage)).over and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _load(self, rate: float, seconds: float, seed: int) -> Child:
        """A load, whose file is `_sent` at its end."""
        self._loads += 1
        self._sent = self._folder / f"load-{self._loads}"
        # The number of the load too, so that no dispatch has the id of an earlier one.
        figures = (self._count, self._port, rate, seconds, seed * 100 + self._loads, self._sent)
        return Child(module("bench.load", *figures), self._environment)

    def _late(self, load: Child) -> int:
        """Wait for the end of a load; how late it was."""
        late = int(load.result())
        if not self._stage.alive:
            raise RuntimeError(f"the dispatcher ended.\n{self._stage.log_tail()}")
        return late

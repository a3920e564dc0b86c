"""One dispatcher between a load and many endpoints, each a process of its own, and what it did.

The dispatcher has a core to itself where the system can pin processes; Kafka, the load, the
endpoints and this process share the others.
"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from array import array
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.arrivals import Arrivals, Pairs, judged
from bench.endpoints import behaviour
from bench.samples import ATTEMPTS, Cores, Metrics, Sample, Sampler, books_of, metrics_of
from console.supervisor import StageProcess, environment_of
from deploy.ports import free_port
from streaming import settings as settings_module
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
        self._settings = settings_module.load(
            kafka={"bootstrap.servers": bootstrap},
            topic_prefix=f"{self._folder.name}.",
            replication_factor=1,
            data_dir=self._folder,
            dispatcher_allow_networks="127.0.0.0/8",
            log_level="WARNING",
        )
        self._port = free_port()
        self._loads = self._due = 0
        self._endpoints: subprocess.Popen[str] | None = None
        self._loading: subprocess.Popen[str] | None = None
        environment = environment_of(self._settings)
        self._stage = StageProcess("dispatcher", "dispatcher", environment, self._folder / "log")

    def __enter__(self) -> Self:
        self._topics = kafka_topics.ensure(self._settings)
        try:
            received = str(self._folder / "received")
            figures = (str(self._count), str(self._port), received)
            self._endpoints = self._started("bench.endpoints", *figures)
            with self._cores.for_the_stage():
                self._stage.start()
            self._stage.await_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._loading is not None:
            self._loading.kill()
            self._loading.wait()
        # Killed: with requests hanging it would take its full time to stop.
        self._stage.kill()
        self._end_endpoints()
        client = kafka_topics.admin(self._settings)
        for deleted in client.delete_topics(list(self._topics.all)).values():
            deleted.result(30)

    def cpu(self, rate: float, warm_up: float, seconds: float) -> tuple[float, float]:
        """How busy the dispatcher is with about `rate` dispatches a second, in cores, and how many
        a second it really tried. All endpoints are healthy."""
        load, produced = self._load(rate, warm_up + seconds, 0)
        time.sleep(warm_up)
        sampler = Sampler(self._stage, self._cores)
        used, began, tried = sampler.cpu_seconds(), time.monotonic(), self._tried()
        time.sleep(seconds)
        used, tried = sampler.cpu_seconds() - used, self._tried() - tried
        took = time.monotonic() - began
        self._late(load)
        self._await(_pairs(produced))
        return used / took, tried / took

    def _tried(self) -> int:
        return sum(n for key, n in metrics_of(self._stage).items() if key[0] == ATTEMPTS)

    def run(self, rate: float, warm_up: float, seconds: float, seed: int, spoil: bool) -> Run:
        """The last use of the rig: a load, in which the bad ones turn bad after `warm_up`."""
        load, produced = self._load(rate, warm_up + seconds, seed)
        time.sleep(warm_up)
        before = metrics_of(self._stage)
        start = time.time()
        if spoil:
            self._say("spoil")
        with Sampler(self._stage, self._cores) as sampler:
            late = self._late(load)
        end = time.time()
        sent = _pairs(produced)
        self._await(sent)
        final = self._settled()
        self._end_endpoints()
        came = _pairs(self._folder / "received")
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
            self._say("count")
            if int(self._heard(self._endpoints)) >= self._due:
                return
            time.sleep(0.1)

    def _settled(self) -> Metrics:
        """The metrics at a moment when the books agree, if there is one soon."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while books_of(found := metrics_of(self._stage)).over and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _load(self, rate: float, seconds: float, seed: int) -> tuple[subprocess.Popen[str], Path]:
        """A load that has begun, and the file it will write."""
        self._loads += 1
        path = self._folder / f"load-{self._loads}"
        # The number of the load too, so that no dispatch has the id of an earlier one.
        figures = (self._count, self._port, rate, seconds, seed * 100 + self._loads)
        self._loading = self._started("bench.load", *map(str, figures), str(path))
        return self._loading, path

    def _late(self, load: subprocess.Popen[str]) -> int:
        """Wait for the end of a load; how late it was."""
        said, _ = load.communicate()
        if load.returncode != 0 or not self._stage.alive:
            raise RuntimeError(f"the load or the dispatcher failed.\n{self._stage.log_tail()}")
        return int(said)

    def _started(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """One of our own processes, ready."""
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment_of(self._settings),
            text=True,
        )
        if self._heard(process) != "ready":
            raise RuntimeError(f"{module} did not begin")
        return process

    @staticmethod
    def _heard(process: subprocess.Popen[str] | None) -> str:
        assert process is not None
        assert process.stdout is not None
        return process.stdout.readline().strip()

    def _say(self, word: str) -> None:
        assert self._endpoints is not None
        assert self._endpoints.stdin is not None
        self._endpoints.stdin.write(word + "\n")
        self._endpoints.stdin.flush()

    def _end_endpoints(self) -> None:
        """Have them write down what came, and end. May be called again."""
        if self._endpoints is not None:
            assert self._endpoints.stdin is not None
            self._endpoints.stdin.close()
            self._endpoints.wait(60)


def _pairs(path: Path) -> list[tuple[int, int]]:
    flat = array("q", path.read_bytes())
    return list(zip(flat[0::2], flat[1::2], strict=True))

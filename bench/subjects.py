"""What is measured: our own stages and their peers, each a process that does the same work.

A subject is given the environment that ours are given, runs until SIGTERM, and ends within seconds.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
from prometheus_client.parser import text_string_to_metric_families

from bench.builds import ROOT, Missing, go_peer, java_peer
from bench.cpu import Cores, cpu_seconds
from bench.quota import Quota
from console.supervisor import PORT_SETTINGS, environment_of
from deploy.ports import free_port
from dispatcher.lanes import LATE_SHARE
from streaming.settings import Settings

STOP_SECONDS = 30.0
READY_SECONDS = 60.0
_TAIL_BYTES = 8192
_TAIL_LINES = 15


class SubjectFailed(RuntimeError):
    """One that ended, or did not do its work; the message has the end of what it logged."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A way to do a stage's work."""

    name: str
    module: str
    """`router` or `dispatcher`: whose work."""
    command: Callable[[], list[str]]
    """Builds it where that is needed. Raises `Missing`."""
    ours: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Of the settings."""

    def settings(self, base: Settings, in_flight: int, per_action: int = 16) -> Settings:
        """The settings with which so many first attempts are in flight: ours keeps a share of
        what it is given for retries, a peer gives all of it to them."""
        mine = cap_for(in_flight) if self.ours else in_flight
        capped = {
            "dispatcher_in_flight": mine,
            "dispatcher_in_flight_per_action": per_action,
        }
        return base.model_copy(update=capped | dict(self.changes))


def cap_for(first_attempts: int) -> int:
    """The least `PCA_DISPATCHER_IN_FLIGHT` that leaves so many to first attempts; retries have a
    share of their own."""
    cap = max(2, math.floor(first_attempts / (1 - LATE_SHARE)) - 2)
    while cap - max(1, int(cap * LATE_SHARE)) < first_attempts:
        cap += 1
    return cap


def _stage(module: str) -> Callable[[], list[str]]:
    # On a leash: it ends with whoever measures it.
    return lambda: [sys.executable, "-P", "-m", "console.leash", module]


def _go(module: str) -> Callable[[], list[str]]:
    return lambda: [str(go_peer()), module]


def _obvious() -> list[str]:
    return [sys.executable, "-m", "bench.peers.obvious"]


OURS = Subject("ours", "dispatcher", _stage("dispatcher"), True)
REFERENCE = Subject(
    "ours on aiohttp", "dispatcher", _stage("dispatcher"), True,
    {"dispatcher_transport": "aiohttp"},
)  # fmt: skip
GO = Subject("Go", "dispatcher", _go("dispatcher"))
PARALLEL_CONSUMER = Subject("Parallel Consumer", "dispatcher", lambda: [*java_peer(), "vertx"])
OBVIOUS = Subject("obvious", "dispatcher", _obvious)
DISPATCHERS = (OURS, REFERENCE, GO, PARALLEL_CONSUMER, OBVIOUS)

OUR_ROUTER = Subject("ours", "router", _stage("router"), True)
GO_ROUTER = Subject("Go", "router", _go("router"))
ROUTERS = (OUR_ROUTER, GO_ROUTER)


def available(
    subjects: Iterable[Subject], say: Callable[[str], None]
) -> tuple[list[Subject], list[str]]:
    """Those that can be started here, built; and a sentence about each that cannot."""
    found, skipped = [], []
    for subject in subjects:
        try:
            subject.command()
        except Missing as reason:
            told = f"{subject.name} ({subject.module}) is left out: {reason}"
            say(told)
            skipped.append(told.partition("\n")[0])
        else:
            found.append(subject)
    return found, skipped


class Running:
    """A subject's process, from entering to leaving."""

    def __init__(
        self, subject: Subject, settings: Settings, log: Path, cores: Cores | None = None
    ) -> None:
        """It gets the stage's core of `cores`, any without; its log is appended to."""
        self.subject = subject
        self._log = log
        self._cores = cores or Cores()
        self._port = free_port()
        self._environment = environment_of(settings) | {
            PORT_SETTINGS[subject.module]: str(self._port),
        }
        if self._cores.stage:
            self._environment["GOMAXPROCS"] = str(len(self._cores.stage))
        self._process: psutil.Popen
        self._quota: Quota | None = None

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            if self._cores.share is not None:
                self._quota = Quota(self._cores.share)
            with self._cores.for_the_stage():
                self._process = psutil.Popen(
                    self.subject.command(),
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=self._environment,
                    start_new_session=True,
                )
        if self._quota is not None:
            self._quota.hold(self._process.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask it to end, and wait; kill it when it does not. May be called again."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except psutil.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_SECONDS)
        self._process.stdin.close()
        if self._quota is not None:
            self._quota.close()

    def check(self) -> None:
        """Raises `SubjectFailed` when it has ended."""
        if self._process.poll() is not None:
            raise SubjectFailed(f"{self.subject.name} ended.\n{self.log_tail()}")

    def cpu_seconds(self) -> float:
        """That all its threads have used. Raises `SubjectFailed` when it has ended."""
        self.check()
        return cpu_seconds(self._process.pid)

    def resident(self) -> int:
        """Bytes of memory."""
        self.check()
        return int(self._process.memory_info().rss)

    def await_ready(self, seconds: float = READY_SECONDS) -> None:
        """Until /readyz says so: ours only. Raises `SubjectFailed`."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            self.check()
            if time.monotonic() > deadline:
                raise SubjectFailed(f"{self.subject.name} is not ready.\n{self.log_tail()}")
            time.sleep(0.05)

    def ready(self) -> bool:
        """What /readyz says: ours only."""
        return bool(self._ask("/readyz"))

    def gauge(self, name: str) -> float:
        """The sum over all labels of one of its metrics: ours only."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self._ask("/metrics"))
            for sample in family.samples
            if sample.name == name
        )

    def _ask(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=2) as said:
                return str(said.read().decode())
        except (OSError, urllib.error.HTTPError):
            return ""

    def log_tail(self) -> str:
        """The last lines that it has logged since it was started."""
        with self._log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([f"The end of {self._log.name}:", *(f"  {line}" for line in lines)])

"""Where measurements are made: a Kafka of its own, and the cores divided."""

from __future__ import annotations

import contextlib
import os
import resource
import tempfile
from pathlib import Path
from typing import Any, Self

from bench.cpu import Cores, affinity, cpu_seconds, divided
from bench.report import out
from bench.subjects import SubjectFailed
from deploy.kafka.broker import LocalKafka
from streaming import settings as settings_module
from streaming.settings import Settings

_WANTED_FILES = 200_000
_SPARE_FILES = 1000


def settings_for(bootstrap: str, prefix: str, folder: Path, **changes: Any) -> Settings:
    """Of a stage that is measured: defaults, but for what lets it run here."""
    given = {
        "kafka": {"bootstrap.servers": bootstrap},
        "topic_prefix": prefix,
        "replication_factor": 1,
        "data_dir": folder,
        "dispatcher_allow_networks": "127.0.0.0/8",
        "log_level": "WARNING",
    }
    return settings_module.load(**{**given, **changes})


class Testbed:
    """From entering to leaving; everything is in a temporary folder. For the main thread.

    Kafka starts when something first asks for it.
    """

    def __init__(self, *, pinned: bool = True) -> None:
        """`pinned`: a subject has the last core to itself, all else shares the others. So it is
        only where the system can pin processes and has two cores at least."""
        self._pinned = pinned
        self._prefixes = 0
        self._kafka: LocalKafka | None = None
        self.cores = Cores()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.callback(_restore, affinity())
            if self._pinned:
                self.cores = divided()
            self._files = _many_files()
            temporary = tempfile.TemporaryDirectory(prefix="pca-bench-")
            self.folder = Path(stack.enter_context(temporary))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def bootstrap(self) -> str:
        """Where its Kafka listens."""
        if self._kafka is None:
            self._kafka = LocalKafka(self.folder / "kafka")
            self._stack.callback(self._kafka.stop)
            self._kafka.start(report=out.print)
            broker = self._kafka.status().pid
            assert broker is not None
            self._broker = broker
        return self._kafka.bootstrap

    def settings(self, **changes: Any) -> Settings:
        """Settings for topics that nobody else uses."""
        self._prefixes += 1
        return settings_for(self.bootstrap, f"b{self._prefixes}.", self.folder, **changes)

    def broker_cpu_seconds(self) -> float:
        """That Kafka has used; after `settings`."""
        return cpu_seconds(self._broker)

    def pinning(self) -> str:
        """A sentence for the reader."""
        if not self._pinned:
            return "No process is pinned: all share all cores."
        if not self.cores.stage:
            return "Processes cannot be pinned here: all share all cores."
        return (
            f"What is measured has CPU {min(self.cores.stage)} to itself; broker, sink and load"
            f" share the others ({', '.join(map(str, sorted(self.cores.others)))})."
        )

    def fits(self, connections: int) -> bool:
        """Whether a process may have so many open."""
        return connections + _SPARE_FILES <= self._files


def or_leave_out(failure: SubjectFailed, ours: bool) -> str:
    """A peer that fails is told of and left out; what is ours must not."""
    if ours:
        raise failure
    out.print(f"[red]{failure}[/]")
    return str(failure).partition("\n")[0]


def _restore(cpus: set[int]) -> None:
    if cpus:
        os.sched_setaffinity(0, cpus)


def _many_files() -> int:
    """Have this process, and what it starts, open many; how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in ((_WANTED_FILES, max(hard, _WANTED_FILES)), (hard, hard)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            return limit[0]
    return soft

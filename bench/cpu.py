"""CPU time that processes have used, and which of them has which core to itself."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

_OF_ALL_THREADS = 2  # CPUCLOCK_SCHED: user and system time together, as the scheduler counts it


def cpu_seconds(pid: int) -> float:
    """That all threads of a process have used, those that have ended too.

    To the nanosecond; elsewhere than on Linux in ticks of about 10 ms. Raises OSError or
    psutil.Error when the process is gone.
    """
    if os.uname().sysname == "Linux":
        return time.clock_gettime(~pid << 3 | _OF_ALL_THREADS)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@dataclass(frozen=True, slots=True)
class Cores:
    """Which CPUs are whose; both empty where processes are not pinned."""

    stage: frozenset[int] = frozenset()
    others: frozenset[int] = frozenset()
    share: float | None = None
    """Of a core, that a stage may use (see `bench.quota`); None for all of it."""

    @contextlib.contextmanager
    def for_the_stage(self) -> Iterator[None]:
        """What this thread starts within gets the stage's core."""
        if self.stage:
            os.sched_setaffinity(0, self.stage)
        try:
            yield
        finally:
            if self.others:
                os.sched_setaffinity(0, self.others)


def divided() -> Cores:
    """The last of our cores for a stage; this thread, and what it starts, keeps the rest."""
    mine = sorted(affinity())
    if len(mine) < 2:
        return Cores()
    *others, last = mine
    os.sched_setaffinity(0, others)
    return Cores(frozenset({last}), frozenset(others))


def spread(count: int, share: float | None = None) -> list[Cores]:
    """A core, or that share of it, for each of so many copies, in turn from the last on; all else
    may use all of them."""
    mine = sorted(affinity())
    return [
        Cores(frozenset({mine[-1 - number % len(mine)]}), frozenset(mine), share)
        if mine
        else Cores(share=share)
        for number in range(count)
    ]


def affinity() -> set[int]:
    """The CPUs of this thread; empty where processes cannot be pinned."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()

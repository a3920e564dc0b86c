"""Waiting until processes have done so much of their work, and what they had used by then."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.subjects import Running, SubjectFailed

STALL_SECONDS = 60.0
"""Without any progress for so long, a subject has failed."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds on a clock, how much was done, and CPU seconds used so far by whom."""

    at: float
    count: int
    subjects: float
    broker: float
    sink: float = 0.0


def await_count(
    wanted: int, count: Callable[[], int], running: Sequence[Running], poll: float
) -> int:
    """The count when it has reached what is wanted, looked at every `poll` seconds. Raises
    `SubjectFailed` when a process ends, or nothing more comes."""
    last, moved = -1, time.monotonic()
    while (found := count()) < wanted:
        if found != last:
            last, moved = found, time.monotonic()
        for one in running:
            one.check()
        if time.monotonic() - moved > STALL_SECONDS:
            one = running[0]
            raise SubjectFailed(
                f"{one.subject.name} did nothing for {STALL_SECONDS:g} s,"
                f" {wanted - found:,} are missing.\n{one.log_tail()}"
            )
        time.sleep(poll)
    return found


def total_cpu(running: Sequence[Running]) -> float:
    """CPU seconds of all of them."""
    return sum(one.cpu_seconds() for one in running)

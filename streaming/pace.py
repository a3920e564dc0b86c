"""How long batches are gathered: records that come together cost less, those that wait are late."""

import math
import time
from collections.abc import Callable

GATHER = 0.005
"""Seconds from one batch to the next, at least, while the process is busy: records come together
then, and so cost fewer requests and wake-ups on every side. What makes them late under load are not
a few milliseconds but the queue for a core, and that gets shorter."""
IDLE = 0.5
"""Of one core: what a process may use without being busy. Nothing is gathered then: what a fetch
brings has come together already (`streaming.clients.FETCH`)."""
BUSY = 0.8
"""Of one core: from here on batches are gathered for `GATHER`, in proportion before."""
USE_OVER = 0.05
"""Seconds that CPU time is added up for: a few batches in a row are no load."""
REMEMBERED = 0.14
"""Seconds after which what has been counts a third: gathering makes a process less busy, and one
that went by the newest alone would go to and fro."""


class Pace:
    """Seconds from one batch to the next, by how busy the process is.

    CPU time tells it on any machine: so many records a second that a quiet one has hardly noticed
    keep a slow one's cores busy.
    """

    def __init__(
        self,
        cpu: Callable[[], float] = time.process_time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Both clocks in seconds; `cpu` is what the whole process has used."""
        self._cpu = cpu
        self._clock = clock
        self._used = cpu()
        self._since = clock()
        self._gather = 0.0

    def gather(self) -> float:
        """From the batch just taken to the next one."""
        now = self._clock()
        if (passed := now - self._since) >= USE_OVER:
            used = self._cpu()
            wanted = _wanted((used - self._used) / passed)
            self._gather += (wanted - self._gather) * -math.expm1(-passed / REMEMBERED)
            self._used, self._since = used, now
        return self._gather


def _wanted(use: float) -> float:
    """Seconds, by the cores in use."""
    return GATHER * min(max((use - IDLE) / (BUSY - IDLE), 0.0), 1.0)

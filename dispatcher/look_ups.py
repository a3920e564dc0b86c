"""Which look-ups run when there are more than may: names that nobody answers for wait the longest.

A look-up cannot be interrupted, and the system's resolver may take a minute for a dead name. So
places are few, a place is taken until its look-up has really ended, and names are told apart by how
their last look-up went:

- prompt ones may take every place,
- new ones all but a quarter, so that a storm of new dead names leaves room for prompt ones,
- slow ones a quarter, so that dead names which are tried again and again crowd out nobody.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import IntEnum
from typing import NamedTuple

LOOK_UPS = 128
"""Look-ups under way at once, each in a thread."""
PROMPT_SECONDS = 1.0
"""A look-up that takes longer makes its name a slow one."""
_REMEMBERED = 65_536


class Question(NamedTuple):
    """What is looked up."""

    host: str
    family: int
    """`socket.AF_…`"""


class _Pace(IntEnum):
    """How the last look-up of a name went; the earlier ones go first."""

    PROMPT = 0
    NEW = 1
    SLOW = 2


class LookUps:
    """Gives places to questions, in order within a pace. Each question may be asked once at a time:
    whoever has the same one waits for the same answer."""

    def __init__(self, places: int = LOOK_UPS, remembered: int = _REMEMBERED) -> None:
        """`remembered`: how many hosts' paces are kept in mind."""
        self._limits = (places, places - places // 4, max(1, places // 4))
        self._remembered = remembered
        self._paces: OrderedDict[str, _Pace] = OrderedDict()
        self._queues: tuple[OrderedDict[Question, None], ...] = tuple(OrderedDict() for _ in _Pace)
        self._running: dict[Question, _Pace] = {}

    @property
    def running(self) -> int:
        """Places taken."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Questions that have no place yet."""
        return sum(map(len, self._queues))

    def ask(self, question: Question) -> list[Question]:
        """Queue a question; returns those to start now."""
        pace = self._paces.get(question.host, _Pace.NEW)
        self._queues[pace][question] = None
        return self._started()

    def withdraw(self, question: Question) -> bool:
        """Nobody waits for it any more. Whether it was still queued; one under way goes on."""
        for queue in self._queues:
            if question in queue:
                del queue[question]
                return True
        return False

    def ended(self, question: Question, seconds: float) -> list[Question]:
        """A look-up has ended after so long; returns those to start in its place."""
        del self._running[question]
        self._paces[question.host] = _Pace.PROMPT if seconds <= PROMPT_SECONDS else _Pace.SLOW
        self._paces.move_to_end(question.host)
        if len(self._paces) > self._remembered:
            self._paces.popitem(last=False)
        return self._started()

    def _started(self) -> list[Question]:
        started = []
        for pace in _Pace:
            while self._queues[pace] and self._has_room(pace):
                question, _ = self._queues[pace].popitem(last=False)
                self._running[question] = pace
                started.append(question)
        return started

    def _has_room(self, pace: _Pace) -> bool:
        # The slower ones count against the share of the faster, so that shares hold together.
        slower = sum(other >= pace for other in self._running.values())
        return len(self._running) < self._limits[0] and slower < self._limits[pace]

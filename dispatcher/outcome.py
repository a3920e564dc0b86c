"""What comes of a try: delivered, tried again later, ended, or rightly not sent at all.

Pure, with the time given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Error = Literal[
    "",
    "dns",
    "connect",
    "tls",
    "timeout",
    "closed",
    "blocked",
    "protocol",
    "status",
    "url_too_long",
    "too_large",
    "unrenderable",
    "unsupported",
    "no_client_id",
    "too_old",
]
"""The closed list of classes: why a try did not succeed; empty when it did."""

_RETRIED_STATUS = frozenset({408, 425, 429})
_SKIPPED_ERRORS = frozenset({"no_client_id", "too_old"})
_RETRIED_ERRORS = frozenset({"dns", "connect", "tls", "timeout", "closed", "protocol"})


@dataclass(frozen=True, slots=True)
class Schedule:
    """The delays after the first, second, … failed try, as written and in seconds."""

    delays: tuple[tuple[str, float], ...]

    def after(self, attempt: int) -> tuple[str, float] | None:
        """The delay after the failed try with that number (from 1); None when it was the last."""
        # A foreign producer may count from 0, or backwards.
        return self.delays[max(attempt, 1) - 1] if attempt <= len(self.delays) else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens next."""

    name: Literal["delivered", "retry", "dead", "skipped"]
    delay: str = ""
    """For `retry`: the delay as the schedule writes it, which names the topic."""
    due_at: int | None = None
    """For `retry`: microseconds since 1970."""


DELIVERED = Outcome("delivered")
DEAD = Outcome("dead")
SKIPPED = Outcome("skipped")
"""Nothing went wrong and nothing is lost: Google Analytics has no use for this call."""


def succeeded(status: int) -> bool:
    """Whether an answer is a delivery: 2xx and nothing else."""
    return 200 <= status < 300


def outcome(status: int | None, error: str, attempt: int, schedule: Schedule, now: int) -> Outcome:
    """Judge a try. `status` of the answer, if one came; `error` if none did; `now` microseconds.

    2xx is success. Trouble that may pass (the network, 408, 425, 429, 5xx) is tried again while
    the schedule lasts; every other answer ends the dispatch, visibly, in `pca.dead`.
    """
    if status is not None and succeeded(status):
        return DELIVERED
    if error in _SKIPPED_ERRORS:
        return SKIPPED
    if status is not None:
        passing = status in _RETRIED_STATUS or status >= 500
    else:
        passing = error in _RETRIED_ERRORS
    delay = schedule.after(attempt) if passing else None
    if delay is None:
        return DEAD
    name, seconds = delay
    return Outcome("retry", name, now + int(seconds * 1_000_000))

"""What comes of a try: delivered, tried again later, ended, or rightly not sent at all.

Pure, with the time given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

from dispatcher.schedule import Schedule

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
    "sealed",
    "paused",
    "no_client_id",
    "too_old",
]
"""The closed list of classes: why a try did not succeed; empty when it did."""

_RETRIED_STATUS = frozenset({408, 425, 429})
_SKIPPED_ERRORS = frozenset({"no_client_id", "too_old"})
_RETRIED_ERRORS = frozenset({"dns", "connect", "tls", "timeout", "closed", "protocol", "sealed"})
_OUR_ERRORS = frozenset({"unrenderable", "unsupported", "sealed"})
NEVER_SENT = frozenset({"url_too_long", "too_large"})
"""What the call makes of the request: nothing that the endpoint could be judged by."""
GONE = 410
"""The endpoint says that it is no more: its action is paused."""
LONGEST_RETRY_AFTER = 86_400.0
"""Seconds that an endpoint may ask for."""


@dataclass(frozen=True)
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


def retried(status: int | None, error: str) -> bool:
    """Whether the trouble may pass: the network, 408, 425, 429, 5xx, and a key of ours to mend."""
    if status is not None:
        return status in _RETRIED_STATUS or status >= 500
    return error in _RETRIED_ERRORS


def fault(error: str) -> Literal["", "customer", "ours"]:
    """Whose a failure is: what an endpoint does or cannot do is its customer's."""
    if not error or error in _SKIPPED_ERRORS:
        return ""
    return "ours" if error in _OUR_ERRORS else "customer"


def outcome(
    status: int | None,
    error: str,
    attempt: int,
    schedule: Schedule,
    now: int,
    retry_after: float = 0.0,
) -> Outcome:
    """Judge a try. `status` of the answer, if one came; `error` if none did; `now` microseconds;
    `retry_after` seconds that the answer asked for.

    2xx is success. Trouble that may pass is tried again while the schedule lasts; every other
    answer, a redirect too, ends the dispatch, visibly, in `pca.dead`.
    """
    if status is not None and succeeded(status):
        return DELIVERED
    if error in _SKIPPED_ERRORS:
        return SKIPPED
    if not retried(status, error):
        return DEAD
    again = schedule.after(attempt, now, retry_after)
    return DEAD if again is None else Outcome("retry", again.delay, again.due_at)


def retry_after(headers: Mapping[str, str], now: int) -> float:
    """The seconds that an answer's `Retry-After` asks for, at most a day; 0 where it says nothing
    that can be understood. `now` in microseconds since 1970."""
    value = next((v for name, v in headers.items() if name.lower() == "retry-after"), "").strip()
    if not value:
        return 0.0
    if value.isascii() and value.isdecimal():
        # Longer than any sensible number would not even become one.
        digits = value.lstrip("0")
        return LONGEST_RETRY_AFTER if len(digits) > 9 else min(float(value), LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(value)
        wait = date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now / 1_000_000
    except (ValueError, OverflowError, TypeError, IndexError):
        return 0.0
    return max(0.0, min(wait, LONGEST_RETRY_AFTER))

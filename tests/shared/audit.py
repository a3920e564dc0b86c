"""Who received what, held against who should have: the audit of a chaos run."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Arrival:
    """One request, as the sink wrote it down."""

    at: float
    """Seconds since 1970."""
    path: str
    webhook_id: str


def arrivals(log):
    """All that the sink has written so far, in order; a line that is cut off waits."""
    text = log.read_text()
    whole = text[: text.rfind("\n") + 1]
    found = []
    for line in whole.splitlines():
        at, path, webhook_id = line.split(" ")
        found.append(Arrival(int(at) / 1e9, path, webhook_id))
    return found


@dataclass(frozen=True)
class Fault:
    """Something that was done to the line."""

    at: float
    """Seconds since 1970."""
    what: str
    in_flight: int
    """Requests under way just before, in all dispatchers that were hit."""


@dataclass(frozen=True)
class Verdict:
    missing: set
    unexpected: set
    ids_per_pair: int
    """The most webhook-ids that one (call, action) came with: 1 when the id is stable."""
    duplicates: int
    allowed: int


def judge(found, expected, faults, window):
    """Hold the arrivals against the expected (path) set.

    Duplicates allowed are, for each fault: what was in flight, and what arrived in the `window`
    seconds before it (commit interval, and the time until a commit is through).
    """
    counts = Counter(arrival.path for arrival in found)
    ids = {}
    for arrival in found:
        ids.setdefault(arrival.path, set()).add(arrival.webhook_id)
    allowed = sum(
        fault.in_flight + sum(1 for arrival in found if fault.at - window <= arrival.at <= fault.at)
        for fault in faults
    )
    return Verdict(
        missing=expected - counts.keys(),
        unexpected=counts.keys() - expected,
        ids_per_pair=max((len(known) for known in ids.values()), default=0),
        duplicates=sum(counts.values()) - len(counts),
        allowed=allowed,
    )

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
    over: float = 0.0
    """When Kafka was back, where it was away; seconds since 1970."""


@dataclass(frozen=True)
class Verdict:
    missing: set
    unexpected: set
    ids_per_pair: int
    """The most webhook-ids that one (call, action) came with: 1 when the id is stable."""
    duplicates: int
    allowed: int


def judge(found, expected, faults, interval):
    """Hold the arrivals against the expected (path) set.

    Duplicates allowed are, for each fault: what was completed in the commit `interval` (seconds)
    before it, and what was in flight. That is what the dispatchers that were hit were sending, and
    what was between the stages: it arrives in the interval after the fault, or, where Kafka was
    away, in the interval after the line moves again.
    """
    counts = Counter(arrival.path for arrival in found)
    ids = {}
    for arrival in found:
        ids.setdefault(arrival.path, set()).add(arrival.webhook_id)
    return Verdict(
        missing=expected - counts.keys(),
        unexpected=counts.keys() - expected,
        ids_per_pair=max((len(known) for known in ids.values()), default=0),
        duplicates=sum(counts.values()) - len(counts),
        allowed=sum(_allowed(found, fault, interval) for fault in faults),
    )


def _allowed(found, fault, interval):
    times = [arrival.at for arrival in found]
    around = sum(abs(at - fault.at) <= interval for at in times)
    moving = min((at for at in times if at > fault.over), default=0.0) if fault.over else 0.0
    resumed = sum(moving <= at <= moving + interval for at in times)
    return fault.in_flight + around + resumed

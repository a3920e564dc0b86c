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


def arrivals(log, tag=""):
    """What the sink has written so far of the calls whose sid starts with `tag`, in order; a line
    that is cut off waits."""
    text = log.read_text()
    whole = text[: text.rfind("\n") + 1]
    found = []
    for line in whole.splitlines():
        at, path, webhook_id = line.split(" ")
        if f"sid={tag}" in path:
            found.append(Arrival(int(at) / 1e9, path, webhook_id))
    return found


@dataclass(frozen=True)
class Verdict:
    """What came of one fault. Times in seconds."""

    missing: set
    unexpected: set
    ids_per_pair: int
    """The most webhook-ids that one (call, action) came with: 1 when the id is stable."""
    duplicates: int
    first: float
    """From the end of the fault until the next request that had not come before."""
    all: float
    """From the end of the fault until everything had come that waited then."""
    slowest: float
    """The longest from the writing of a call to the first arrival of a request of it."""


def judge(found, expected, over):
    """Hold the arrivals against the `expected` paths, with the times when their calls were written.

    `over` is when the fault was, in seconds since 1970.
    """
    counts = Counter(arrival.path for arrival in found)
    ids, came = {}, {}
    for arrival in found:
        ids.setdefault(arrival.path, set()).add(arrival.webhook_id)
        came.setdefault(arrival.path, arrival.at)
    waited = [came[path] for path, at in expected.items() if path in came and at <= over]
    return Verdict(
        missing=expected.keys() - counts.keys(),
        unexpected=counts.keys() - expected.keys(),
        ids_per_pair=max((len(known) for known in ids.values()), default=0),
        duplicates=sum(counts.values()) - len(counts),
        first=min((at for at in came.values() if at >= over), default=over) - over,
        all=max(0.0, max(waited, default=over) - over),
        slowest=max((came[p] - at for p, at in expected.items() if p in came), default=0.0),
    )

"""Whether exactly the expected requests arrived, and what is wrong where they did not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.demo.receiver import Arrival
from console.demo.scenario import Expected


@dataclass(frozen=True, slots=True)
class Verdict:
    """Sentences about what is wrong; all empty when nothing is."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    different: tuple[str, ...]
    duplicated: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Exactly what was expected."""
        return not (self.missing or self.unexpected or self.different or self.duplicated)

    def counts(self) -> str:
        """`0 missing, 0 unexpected, …`."""
        return (
            f"{len(self.missing)} missing, {len(self.unexpected)} unexpected,"
            f" {len(self.different)} different, {len(self.duplicated)} duplicated"
        )


def judge(expected: Iterable[Expected], arrivals: Sequence[Arrival]) -> Verdict:
    """Compare by webhook-id, which is the same for every try of one call for one action."""
    wanted = {one.webhook_id: one for one in expected}
    came: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        came[arrival.webhook_id].append(arrival)
    missing, different, duplicated = [], [], []
    for webhook_id, one in wanted.items():
        got = came.get(webhook_id, [])
        name = f"{one.method} {one.path} {webhook_id}"
        if len(got) < one.times:
            missing.append(f"{name}: {len(got)} of {one.times} arrived")
        elif len(got) > one.times:
            duplicated.append(f"{name}: arrived {len(got)} times, {one.times} expected")
        if faults := sorted({fault for arrival in got for fault in _faults(one, arrival)}):
            different.append(f"{name}: {'; '.join(faults)}")
    unexpected = [
        f"{got[0].method} {got[0].path} {webhook_id or 'without webhook-id'}: {len(got)} times"
        for webhook_id, got in came.items()
        if webhook_id not in wanted
    ]
    return Verdict(tuple(missing), tuple(unexpected), tuple(different), tuple(duplicated))


def complete(expected: Iterable[Expected], arrivals: Sequence[Arrival]) -> bool:
    """Whether everything expected has arrived, whatever else did."""
    came = Counter(arrival.webhook_id for arrival in arrivals)
    return all(came[one.webhook_id] >= one.times for one in expected)


def _faults(one: Expected, arrival: Arrival) -> Iterable[str]:
    """Each way in which an arrival is not what was expected."""
    for what in ("method", "path", "query", "body"):
        want, got = getattr(one, what), getattr(arrival, what)
        if want != got:
            yield f"{what} is {got!r}, expected {want!r}"
    if not arrival.raw_query.startswith(one.static):
        yield f"the query {arrival.raw_query!r} does not start with {one.static!r} as typed"

"""What routing a call costs: our router beside Go's, against the number of matched actions.

    python -m bench.routing [--rounds 5] [--actions 1,5,20,50] [--quick]

100 accounts with so many actions each that run for all calls. Calls are read from the start in each
run; how far a router is, the ends of the dispatch topic say. A straight line through the costs of a
call tells what a call costs by itself, and each matched action besides.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from bench.backlog import Target, write_calls, write_configuration
from bench.command import parser, rounds_of, run
from bench.offsets import Offsets
from bench.part import Part
from bench.progress import Moment, await_count
from bench.report import Claim, Result, Table, out
from bench.stats import fit, ranged, ratios, rotated
from bench.subjects import (
    GO_ROUTER,
    OUR_ROUTER,
    ROUTERS,
    Running,
    Subject,
    SubjectFailed,
    available,
)
from bench.testbed import Testbed, or_leave_out
from router.service import GROUP
from streaming import topics as kafka_topics

ACTIONS, QUICK_ACTIONS = (1, 5, 20, 50), (1, 10)
DISPATCHES, QUICK_DISPATCHES = 600_000, 30_000
"""That are made in a run, of at most `CALLS` calls."""
CALLS = 600_000
WARM_UP, MOST = 0.30, 0.80
"""Where the measured part begins, and ends. What a router has not yet had acknowledged is less than
the rest, so as much is on its way at the end of the part as at its start."""
ACCOUNTS = 100
CALL_LIMIT, ACTION_LIMIT = 10.0, 8.0
"""Microseconds of CPU for a call, and for each matched action."""
GO_TIMES = 1.0
POLL_SECONDS = 0.05
_PORT = 9
"""Nobody sends to it: routing is all that is done here."""


@dataclass(frozen=True, slots=True)
class RoutingCost:
    """Of one run; CPU in microseconds a call."""

    actions: int
    cpu: float
    broker_cpu: float
    per_second: float
    """Calls."""
    resident: int
    """Bytes."""
    missing: int
    """Dispatches that were not made."""


Runs = Mapping[str, Mapping[int, Sequence[RoutingCost]]]
"""By subject and number of matched actions, one a round."""


class CallBacklog:
    """Calls whose accounts have `actions` actions each, from entering to leaving."""

    def __init__(self, testbed: Testbed, actions: int, dispatches: int) -> None:
        self._testbed = testbed
        self._actions = actions
        self._count = max(ACCOUNTS, min(CALLS, dispatches // actions))
        self._settings = testbed.settings()
        self._topics = kafka_topics.topics(self._settings)
        self._offsets = Offsets(self._settings)

    def __enter__(self) -> Self:
        write_configuration(self._settings, Target(ACCOUNTS, _PORT), self._actions)
        write_calls(self._settings, ACCOUNTS, self._count)
        return self

    def __exit__(self, *_: object) -> None:
        self._offsets.empty()

    def run(self, subject: Subject) -> RoutingCost:
        """One router over all calls. Raises `SubjectFailed`."""
        self._offsets.empty(keep=[self._topics.calls])
        self._offsets.forget(self._settings.topic_prefix + GROUP)
        before = self._offsets.written(self._topics.dispatch)
        due = self._count * self._actions
        settings = subject.settings(self._settings, 64)
        log = self._testbed.folder / f"router-{subject.name}.log"
        with contextlib.ExitStack() as stack:
            running = stack.enter_context(Running(subject, settings, log, self._testbed.cores))
            start = self._until(before + int(due * WARM_UP), running)
            end = self._until(before + int(due * MOST), running)
            resident = running.resident()
            written = self._until(before + due, running).count - before
        calls = (end.count - start.count) / self._actions
        if calls <= 0:
            raise SubjectFailed(f"{self._count:,} are too few for how quick {subject.name} is")
        return RoutingCost(
            actions=self._actions,
            cpu=(end.subjects - start.subjects) / calls * 1e6,
            broker_cpu=(end.broker - start.broker) / calls * 1e6,
            per_second=calls / (end.at - start.at),
            resident=resident,
            missing=due - written,
        )

    def _until(self, count: int, running: Running) -> Moment:
        """When so many dispatches were made."""
        written = await_count(
            count, lambda: self._offsets.written(self._topics.dispatch), [running], POLL_SECONDS
        )
        broker = self._testbed.broker_cpu_seconds()
        return Moment(time.monotonic(), written, running.cpu_seconds(), broker)


def measure(
    testbed: Testbed,
    *,
    rounds: int,
    actions: Sequence[int] = ACTIONS,
    dispatches: int = DISPATCHES,
) -> Result:
    """Both routers, for every number of actions, in every round."""
    subjects, notes = available(ROUTERS, out.print)
    runs: dict[str, dict[int, list[RoutingCost]]] = {
        subject.name: {each: [] for each in actions} for subject in subjects
    }
    with contextlib.ExitStack() as stack:
        backlogs = {
            each: stack.enter_context(CallBacklog(testbed, each, dispatches)) for each in actions
        }
        for number in range(rounds):
            for each, calls in backlogs.items():
                for subject in rotated(subjects, number):
                    try:
                        run = calls.run(subject)
                    except SubjectFailed as failure:
                        notes.append(or_leave_out(failure, subject is OUR_ROUTER))
                        subjects = [one for one in subjects if one is not subject]
                        continue
                    runs[subject.name][each].append(run)
                    out.print(f"round {number + 1}, {subject.name}, {each} actions:"
                              f" {run.cpu:.1f} µs a call")  # fmt: skip
    notes.insert(0, f"{ACCOUNTS} accounts; {rounds} rounds, medians (ranges).")
    notes.insert(1, testbed.pinning())
    return result(runs, notes)


def lines(by_actions: Mapping[int, Sequence[RoutingCost]]) -> list[tuple[float, float]]:
    """Of each round: microseconds a call, and a matched action. Needs two numbers of actions."""
    if len(by_actions) < 2:
        return []
    return [
        fit([(actions, runs[number].cpu) for actions, runs in by_actions.items()])
        for number in range(min(len(runs) for runs in by_actions.values()))
    ]


def result(runs: Runs, notes: list[str]) -> Result:
    """Tables and claims from what was measured."""
    ours = runs[OUR_ROUTER.name]
    by_actions = Table(
        "CPU of a call against its matched actions",
        ["", "actions", "CPU µs a call", "µs a dispatch", "calls/s", "its CPU / ours",
         "broker's CPU µs", "RSS MB", "missing"],
        [
            _row(name, actions, found, ours[actions])
            for actions in ours
            for name, by in runs.items()
            if (found := by[actions])
        ],
    )  # fmt: skip
    fitted = {name: lines(by) for name, by in runs.items()}
    line_table = Table(
        "The straight line through them",
        ["", "CPU µs a call", "and a matched action"],
        [
            [name, ranged([a for a, _ in line]), ranged([b for _, b in line])]
            for name, line in fitted.items()
        ],
    )
    return Result(
        name="routing",
        title="Routing a call",
        tables=[by_actions, line_table],
        claims=claims(runs, fitted[OUR_ROUTER.name]),
        notes=notes,
        data={
            name: {str(actions): [asdict(run) for run in found] for actions, found in by.items()}
            for name, by in runs.items()
        },
    )


def _row(
    name: str, actions: int, found: Sequence[RoutingCost], ours: Sequence[RoutingCost]
) -> list[str]:
    cpu = [run.cpu for run in found]
    return [
        name,
        f"{actions}",
        ranged(cpu),
        ranged([each / actions for each in cpu]),
        ranged([run.per_second for run in found], 0),
        ranged(ratios(cpu, [run.cpu for run in ours]), 2),
        ranged([run.broker_cpu for run in found]),
        ranged([run.resident / 1024 / 1024 for run in found], 0),
        f"{sum(run.missing for run in found):,}",
    ]


def claims(runs: Runs, line: Sequence[tuple[float, float]]) -> list[Claim]:
    """What it must show."""
    made = [
        Claim("CPU of our router a call", [a for a, _ in line], CALL_LIMIT, unit=" µs"),
        Claim("and a matched action", [b for _, b in line], ACTION_LIMIT, unit=" µs"),
    ]
    for actions, theirs in runs.get(GO_ROUTER.name, {}).items():
        beside = ratios([run.cpu for run in theirs],
                        [run.cpu for run in runs[OUR_ROUTER.name][actions]])  # fmt: skip
        if beside:
            text = f"Calls with {actions} matched actions a CPU second, ours in times of Go"
            made.append(Claim(text, beside, GO_TIMES, at_least=True))
    return made


PARTS = {
    "routing": Part(
        lambda testbed, rounds: measure(testbed, rounds=rounds),
        lambda testbed: measure(
            testbed, rounds=1, actions=QUICK_ACTIONS, dispatches=QUICK_DISPATCHES
        ),
    ),
}


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__)
    arguments.add_argument("--actions", help="numbers of matched actions, comma between")
    asked = arguments.parse_args()
    actions: Sequence[int] = QUICK_ACTIONS if asked.quick else ACTIONS
    if asked.actions:
        actions = [int(each) for each in asked.actions.split(",")]
    dispatches = QUICK_DISPATCHES if asked.quick else DISPATCHES
    run(
        lambda testbed: measure(
            testbed, rounds=rounds_of(asked), actions=actions, dispatches=dispatches
        )
    )


if __name__ == "__main__":
    main()

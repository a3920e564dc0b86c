"""A router and a dispatcher, from call produced to request received.

What the load wrote down and what the sink wrote down are joined by the number of the call.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from bench.arrivals import Pairs, read_pairs
from bench.backlog import Target, write_configuration
from bench.children import Child, module
from bench.offsets import Offsets
from bench.receiver import Receiver
from bench.stats import quantile
from bench.subjects import Running, Subject, SubjectFailed
from bench.testbed import Testbed
from console.supervisor import environment_of
from deploy.ports import free_port
from dispatcher.service import GROUP as DISPATCHER_GROUP
from router.service import GROUP as ROUTER_GROUP

ACCOUNTS = 100
"""Enough that every partition has some."""
IN_FLIGHT = 1500
FIRST_SECONDS = 60.0
DRAIN_SECONDS = 15.0
KEPT_UP_P90, MOST_LATE = 200.0, 50.0
"""Milliseconds: more than that a call waits in a queue only; and so late a load is no such load."""
QUANTILES = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True, slots=True)
class Pair:
    """Whose router and whose dispatcher."""

    name: str
    router: Subject
    dispatcher: Subject


@dataclass(frozen=True, slots=True)
class Load:
    """What was sent at one rate, once it had arrived or too long had passed."""

    rate: float
    """Calls a second that were meant to be produced."""
    sent: Pairs
    drained: bool
    """All came soon after."""
    late: int
    """p99 of how late the load itself was, microseconds."""


@dataclass(frozen=True, slots=True)
class Latency:
    """From produced to received, milliseconds; infinite where too many were not."""

    rate: float
    p50: float
    p90: float
    p99: float
    p999: float
    calls: int
    """That were measured: after the warm-up."""
    missing: int
    late: float
    """p99 of how late the load itself was, milliseconds."""

    @property
    def kept_up(self) -> bool:
        """All came, nine of ten without waiting in a queue, and the load was on time."""
        return not self.missing and self.p90 <= KEPT_UP_P90 and self.late <= MOST_LATE


def latency(load: Load, first: Mapping[int, int], warm_up: float) -> Latency:
    """Of the calls that were produced after the first `warm_up` seconds; `first` tells when each
    call's first request was received. One that was not has taken for ever."""
    start = load.sent[0][1] + int(warm_up * 1e6) if load.sent else 0
    taken = [(n, at) for n, at in load.sent if at >= start]
    took = sorted(first.get(n, math.inf) - at for n, at in taken)
    p50, p90, p99, p999 = (quantile(took, share) / 1000 for share in QUANTILES)
    return Latency(
        load.rate, p50, p90, p99, p999, len(taken), took.count(math.inf), load.late / 1000
    )


def first_arrivals(received: Sequence[tuple[int, int]]) -> dict[int, int]:
    """When each number came first."""
    first: dict[int, int] = {}
    for n, at in received:
        first[n] = min(at, first.get(n, at))
    return first


class Pipeline:
    """Topics and a configuration, which serve one pair after the other."""

    def __init__(self, testbed: Testbed, accounts: int = ACCOUNTS) -> None:
        self.testbed = testbed
        self.accounts = accounts
        self.settings = testbed.settings()
        self.offsets = Offsets(self.settings)
        # The configuration tells of the sink's port, so each sink in turn has the same.
        self.port = free_port()
        self._numbers = 0
        write_configuration(self.settings, Target(accounts, self.port), 1)

    def numbers(self, count: int) -> int:
        """The first of so many numbers that no call has had."""
        self._numbers += count
        return self._numbers - count

    def cleared(self) -> None:
        """Nothing of earlier calls is left, and no group has a past."""
        self.offsets.empty()
        for group in (ROUTER_GROUP, DISPATCHER_GROUP):
            self.offsets.forget(self.settings.topic_prefix + group)


class Session:
    """A sink, a router and a dispatcher, from entering to leaving; entered, calls get through."""

    def __init__(self, pipeline: Pipeline, pair: Pair) -> None:
        self._pipeline = pipeline
        self._pair = pair
        self._record = pipeline.testbed.folder / "received"
        self._produced = pipeline.testbed.folder / "produced"
        self._arrived = 0
        self.running: list[Running] = []
        """Router and dispatcher."""

    def __enter__(self) -> Self:
        pipeline, pair = self._pipeline, self._pair
        pipeline.cleared()
        self._record.unlink(missing_ok=True)
        with contextlib.ExitStack() as stack:
            self._sink = stack.enter_context(Receiver(port=pipeline.port, record=self._record))
            for subject in (pair.router, pair.dispatcher):
                settings = subject.settings(pipeline.settings, IN_FLIGHT)
                log = pipeline.testbed.folder / f"{subject.module}-{subject.name}.log"
                cores = pipeline.testbed.cores
                running = Running(subject, settings, log, cores)
                self.running.append(stack.enter_context(running))
            self._knock()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _knock(self) -> None:
        """A call of each account, until all have come: so every partition is read."""
        self.load(0, 0)
        if not self._await(FIRST_SECONDS):
            tails = "\n".join(one.log_tail() for one in self.running)
            raise SubjectFailed(
                f"{self._pair.name}: the first calls did not get through in"
                f" {FIRST_SECONDS:g} s.\n{tails}"
            )

    def load(
        self, rate: float, seconds: float, meanwhile: Callable[[], object] | None = None
    ) -> Load:
        """Calls at random times; `meanwhile` is called about once a second. Raises `SubjectFailed`
        when a process has ended."""
        pipeline = self._pipeline
        # More numbers than it will need: they only have to be its own.
        first = pipeline.numbers(int(2 * rate * seconds) + 10 * pipeline.accounts)
        before = self._sink.count()
        figures = (pipeline.accounts, rate, seconds, first, self._produced)
        with Child(module("bench.calls", *figures), environment_of(pipeline.settings)) as calls:
            while meanwhile is not None and not calls.ends_within(1.0):
                meanwhile()
            count, late = map(int, calls.result().split())
        self._arrived = before + count
        drained = not rate or self._await(DRAIN_SECONDS)
        return Load(rate, read_pairs(self._produced), drained, late)

    def _await(self, seconds: float) -> bool:
        """Whether all that was sent comes within so many seconds."""
        deadline = time.monotonic() + seconds
        while self._sink.count() < self._arrived:
            for one in self.running:
                one.check()
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def received(self) -> dict[int, int]:
        """When each call's first request was received; ends the session."""
        self._stack.close()
        return first_arrivals(self._sink.received())

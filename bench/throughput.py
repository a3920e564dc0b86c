"""What dispatchers deliver of a backlog, and what that costs them: one run after the other.

Each run begins with a consumer group of no past, so it reads the same dispatches from the start.
CPU is taken between the moments at which a first share of them has arrived (processes have started,
connections stand, code is warm) and at which nearly all have.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bench.backlog import Payload, Target, write_dispatches
from bench.certificates import issue
from bench.cpu import Cores
from bench.endpoints import address
from bench.offsets import Offsets
from bench.progress import Moment, await_count, total_cpu
from bench.receiver import Receiver
from bench.subjects import Running, Subject, SubjectFailed
from bench.testbed import Testbed
from dispatcher.service import GROUP
from streaming import topics as kafka_topics

WARM_UP, NEARLY_ALL = 0.30, 0.95
POLL_SECONDS = 0.02
LATE_SECONDS = 10.0
"""How long after all have arrived the last attempts may be written."""


@dataclass(frozen=True, slots=True)
class DeliveryCost:
    """Of one run. CPU in microseconds a delivery."""

    cpu: float
    """Of all copies together."""
    per_second: float
    sink_cpu: float
    broker_cpu: float
    resident: int
    """Bytes, of all copies together, when nearly all had arrived."""
    sent: int
    """Dispatches in the backlog."""
    received: int
    """Requests: one more for each that was sent again."""
    attempts: int
    """Records in `pca.attempts`."""
    lag: int
    """Dispatches that were not committed in the end."""


class Throughput:
    """A backlog and its receiver, from entering to leaving."""

    def __init__(
        self,
        testbed: Testbed,
        count: int,
        endpoints: int,
        *,
        tls: bool = False,
        delay: float = 0.0,
        payload: Payload = "12 parameters",
        partitions: int = 12,
    ) -> None:
        """`count` dispatches for so many endpoints that answer after `delay` seconds."""
        self._testbed = testbed
        self._count = count
        self._endpoints = endpoints
        self._payload = payload
        folder = testbed.folder
        certificate = issue(folder, [address(i) for i in range(endpoints)]) if tls else None
        self._receiver = Receiver(certificate=certificate, delay=delay)
        self._settings = testbed.settings(
            calls_partitions=partitions, dispatch_partitions=partitions
        )
        self._topics = kafka_topics.topics(self._settings)
        self._group = self._settings.topic_prefix + GROUP
        self._offsets = Offsets(self._settings)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            receiver = stack.enter_context(self._receiver)
            target = Target(
                self._endpoints, receiver.origin_port, receiver.authority, self._payload
            )
            write_dispatches(self._settings, target, self._count)
            stack.callback(self._offsets.empty)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self,
        subject: Subject,
        in_flight: int = 64,
        *,
        per_action: int = 16,
        warm_up: float = WARM_UP,
        cores: Sequence[Cores] = (),
    ) -> DeliveryCost:
        """One copy on each of `cores`, by default one on the testbed's. Raises `SubjectFailed`."""
        self._offsets.empty(keep=[self._topics.dispatch])
        self._offsets.forget(self._group)
        written = self._offsets.written(self._topics.attempts)
        before = self._receiver.count()
        settings = subject.settings(self._settings, in_flight, per_action)
        log = self._testbed.folder / f"{subject.name.replace(' ', '-')}.log"
        with contextlib.ExitStack() as stack:
            running = [
                stack.enter_context(Running(subject, settings, log, each))
                for each in cores or [self._testbed.cores]
            ]
            start = self._until(before + int(self._count * warm_up), running)
            end = self._until(before + int(self._count * NEARLY_ALL), running)
            resident = sum(one.resident() for one in running)
            received = self._until(before + self._count, running).count - before
            attempts = self._attempts(written, running)
        deliveries = end.count - start.count
        if deliveries <= 0:
            raise SubjectFailed(f"{self._count:,} are too few for how quick {subject.name} is")
        return DeliveryCost(
            cpu=(end.subjects - start.subjects) / deliveries * 1e6,
            per_second=deliveries / (end.at - start.at),
            sink_cpu=(end.sink - start.sink) / deliveries * 1e6,
            broker_cpu=(end.broker - start.broker) / deliveries * 1e6,
            resident=resident,
            sent=self._count,
            received=max(received, self._receiver.count() - before),
            attempts=max(attempts, self._offsets.written(self._topics.attempts) - written),
            lag=self._offsets.lag(self._group, self._topics.dispatch),
        )

    def _until(self, count: int, running: Sequence[Running]) -> Moment:
        """When so many requests have come."""
        received = await_count(count, self._receiver.count, running, POLL_SECONDS)
        return Moment(
            time.monotonic(),
            received,
            total_cpu(running),
            self._testbed.broker_cpu_seconds(),
            self._receiver.cpu_seconds(),
        )

    def _attempts(self, before: int, running: Sequence[Running]) -> int:
        """Records of attempts, once there is one for each dispatch, or too late."""
        deadline = time.monotonic() + LATE_SECONDS
        while True:
            found = self._offsets.written(self._topics.attempts) - before
            if found >= self._count or time.monotonic() > deadline:
                return found
            for one in running:
                one.check()
            time.sleep(0.1)

"""The router: calls in, dispatches out."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence

from confluent_kafka import KafkaError, KafkaException, Message

from router import calls
from router.calls import RoutedCall
from router.configuration import Account, Configuration
from router.dispatches import dispatches
from router.parts import routing_part
from router.resolve import Setting
from schemas.codec import Codec, Undecodable
from streaming import metrics
from streaming.acks import Acks
from streaming.config_table import ConfigTable
from streaming.consumer import ConsumerLoop
from streaming.keeping import keep
from streaming.offsets import OffsetTracker, Records
from streaming.partitions import partition_of
from streaming.producer import Producer, is_behind
from streaming.stage import Partition, Taken
from streaming.topics import LARGE_RECORD, Topics

MAX_UNACKNOWLEDGED = 8_000
"""Dispatches that may wait for the broker: enough to route on while it works. After a crash
these are made again, beside what was answered since the last commit."""
TOGETHER = 32
"""Calls that are read together, whose numbers are looked up at once, and dispatches that are sent
together: few enough to stay in the cache that is closest."""

Known = tuple[Message, RoutedCall, Account, Setting | None]
"""A call, its account, and what the called number says."""


class RouterStage:
    """Resolves each call against the configuration beside it. A batch is done as one."""

    def __init__(
        self,
        loop: ConsumerLoop,
        producer: Producer,
        codec: Codec,
        topics: Topics,
        configuration: Configuration,
        table: ConfigTable,
    ) -> None:
        self._loop = loop
        self._producer = producer
        self._codec = codec
        self._topics = topics
        self._configuration = configuration
        self._table = table
        self._partitions = topics.all[topics.calls].partitions
        self._dispatch_header = codec.header("Dispatch", topics.dispatch)

    def assigned(self, partitions: Collection[Partition]) -> None:
        """Config partition 3 for calls partition 3."""
        self._table.follow([partition for _, partition in partitions])

    def revoked(self, trackers: Collection[OffsetTracker]) -> None:
        """Nothing waits here: what was taken is on its way out. The configuration is kept, because
        most partitions come back at once; `assigned` drops the others."""

    def has_room(self) -> bool:
        """While the broker keeps up."""
        return not is_behind(self._producer, MAX_UNACKNOWLEDGED)

    def closed(self) -> Collection[Partition]:
        """Calls wait until the configuration beside them is loaded."""
        return [(self._topics.calls, partition) for partition in self._table.loading()]

    def turn(self) -> None:
        """Newer configuration first: a call is routed by the newest known (D9)."""
        self._table.poll()

    def settled(self) -> bool:
        """Dispatches are with the broker."""
        return not len(self._producer)

    def take(self, batch: Sequence[Taken]) -> None:
        """Route a batch; its offsets are complete when the broker has all its outputs."""
        producer = self._producer
        runs = _runs(batch)  # so that the records themselves are let go of at once
        acks = Acks(lambda error: self._acknowledged(error, runs))
        routing = routing_part(time.time_ns() // 1000)
        outputs: list[tuple[str, bytes]] = []
        routed = written = 0
        for at in range(0, len(batch), TOGETHER):
            for message, call, account, number in self._known(batch[at : at + TOGETHER], acks):
                try:
                    made = dispatches(call, account, number, routing, self._dispatch_header)[1]
                except Undecodable as fault:
                    self._unrouted(message, fault.reason, str(fault), acks)
                    continue
                routed += 1
                written += len(made)
                outputs += made
                if len(outputs) >= TOGETHER:
                    producer.send_all(self._topics.dispatch, outputs, acks)
                    outputs.clear()
        producer.send_all(self._topics.dispatch, outputs, acks)
        acks.seal()
        metrics.CALLS_ROUTED.inc(routed)
        metrics.DISPATCHES_ROUTED.inc(written)

    def _known(self, batch: Sequence[Taken], acks: Acks) -> Iterable[Known]:
        """The calls that can be read and whose account is here; the others are put where they
        belong."""
        messages: list[Message] = []
        read: list[RoutedCall] = []
        accounts: list[Account] = []
        for tracker, message in batch:
            try:
                call = calls.read(self._codec, message.value())
            except Undecodable as fault:
                self._unrouted(message, fault.reason, str(fault), acks)
                continue
            account = self._configuration.account(tracker.partition, call.account_id)
            if account is None:
                self._misplaced(call.account_id, message, acks)
                continue
            messages.append(message)
            read.append(call)
            accounts.append(account)
        numbers = self._configuration.numbers(accounts, [call.called_e164 for call in read])
        return zip(messages, read, accounts, numbers, strict=True)

    def _misplaced(self, account_id: str, message: Message, acks: Acks) -> None:
        """A call whose account is not of its partition: it lies in another, or nowhere."""
        partition = partition_of(account_id, self._partitions)
        if partition == message.partition():
            detail = f"no account {account_id!r} is configured"
            self._unrouted(message, "unknown_account", detail, acks)
            return
        metrics.CALLS_REKEYED.inc()
        self._producer.send(
            self._topics.calls, account_id, message.value(), acks, partition=partition
        )

    def _unrouted(self, message: Message, reason: str, detail: str, acks: Acks) -> None:
        metrics.CALLS_UNROUTED.labels(reason).inc()
        keep(
            self._producer,
            self._topics.unrouted,
            message,
            acks,
            reason=reason,
            detail=detail,
            limit=LARGE_RECORD,
        )

    def _acknowledged(self, error: KafkaError | None, runs: Sequence[Records]) -> None:
        """In the producer's thread."""
        if error is not None:
            self._loop.fail(KafkaException(error))
            return
        self._loop.complete(runs)


def _runs(batch: Sequence[Taken]) -> list[Records]:
    """The batch's records as runs of neighbouring offsets."""
    runs: list[Records] = []
    current_tracker: OffsetTracker | None = None
    first = end = 0
    for tracker, message in batch:
        offset = message.offset()
        assert offset is not None
        if tracker is current_tracker and offset == end:
            end += 1
            continue
        if current_tracker is not None:
            runs.append((current_tracker, first, end))
        current_tracker, first, end = tracker, offset, offset + 1
    if current_tracker is not None:
        runs.append((current_tracker, first, end))
    return runs

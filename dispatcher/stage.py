"""The consumer thread's side of the dispatcher: records in, flights to the event loop."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import cast

from confluent_kafka import KafkaError, KafkaException, Message

from dispatcher.delivery import Delivery
from dispatcher.endpoint_table import EndpointTable
from dispatcher.flight import FOR_EVER, Flight, FlightReader
from dispatcher.schedule import HOLD
from schemas.codec import Undecodable
from streaming import metrics
from streaming.acks import Acks
from streaming.consumer import ConsumerLoop
from streaming.keeping import keep
from streaming.offsets import OffsetTracker
from streaming.producer import Producer
from streaming.stage import Partition, Taken
from streaming.topics import DISPATCH_RECORD, Topics

log = logging.getLogger(__name__)


class DispatcherStage:
    """Reads dispatches and retries, and keeps what cannot be read in `pca.dead`."""

    def __init__(
        self,
        loop: ConsumerLoop,
        producer: Producer,
        reader: FlightReader,
        delivery: Delivery,
        endpoints: EndpointTable,
        topics: Topics,
    ) -> None:
        self._loop = loop
        self._producer = producer
        self._reader = reader
        self._delivery = delivery
        self._endpoints = endpoints
        self._topics = topics
        self._retries: list[Partition] = []
        self._assigned: Collection[Partition] = ()
        self._holds: dict[str, float] = {}

    def assigned(self, partitions: Collection[Partition]) -> None:
        """States of endpoints 3 for dispatches 3."""
        self._assigned = list(partitions)
        self._retries = [each for each in partitions if each[0] != self._topics.dispatch]
        self._holds = {
            topic: HOLD * self._topics.delay_of(topic)
            for topic in {each[0] for each in self._retries}
        }
        self._delivery.share_out(len(self._retries))
        self._endpoints.follow({partition for _, partition in partitions})

    def revoked(self, trackers: Collection[OffsetTracker]) -> None:
        """What waits is given back, what is in flight ends."""
        if any(tracker.gone for tracker in trackers):
            # Lost, not given back: somebody else may have written states since.
            self._endpoints.follow(())
        self._delivery.hand_back()

    def has_room(self) -> bool:
        """See `Delivery.has_room`."""
        return self._delivery.has_room()

    def closed(self) -> Collection[Partition]:
        """All partitions until their endpoints' states are known; those of retries while enough
        of them is in hand."""
        closed = cast("Collection[Partition]", self._delivery.full())
        if self._delivery.late_is_full():
            closed = {*closed, *self._retries}
        if loading := self._endpoints.loading():
            closed = {*closed, *(each for each in self._assigned if each[1] in loading)}
        return closed

    def turn(self) -> None:
        """Read on in the states of endpoints; bring the gauges up to date."""
        self._endpoints.poll()
        self._delivery.show()

    def settled(self) -> bool:
        """Attempts, retries and the dead are with the broker."""
        return not len(self._producer)

    def take(self, batch: Sequence[Taken]) -> None:
        """Hand the batch to the event loop as one."""
        flights: list[Flight] = []
        for tracker, message in batch:
            offset = cast("int", message.offset())
            try:
                flights.append(
                    self._reader.read(tracker, offset, message.value(), self._hold_until(message))
                )
            except Undecodable as fault:
                self._bury(tracker, offset, message, fault)
        if flights:
            self._delivery.hand_over(flights)

    def _hold_until(self, message: Message) -> int:
        """When a record has been held long enough for its topic, microseconds."""
        hold = self._holds.get(cast("str", message.topic()))
        if hold is None:
            return FOR_EVER
        return message.timestamp()[1] * 1000 + int(hold * 1_000_000)

    def _bury(
        self, tracker: OffsetTracker, offset: int, message: Message, fault: Undecodable
    ) -> None:
        """Keep the raw bytes, with the reason in the headers."""
        metrics.DISPATCHES_UNREADABLE.inc()

        def acknowledged(error: KafkaError | None) -> None:
            if error is not None:
                self._loop.fail(KafkaException(error))
            else:
                self._loop.complete([(tracker, offset, offset + 1)])

        acks = Acks(acknowledged)
        keep(
            self._producer,
            self._topics.dead,
            message,
            acks,
            reason=fault.reason,
            detail=str(fault),
            limit=DISPATCH_RECORD,
        )
        acks.seal()

"""The consumer thread's side of the dispatcher: records in, flights to the event loop."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import cast

from confluent_kafka import KafkaError, KafkaException, Message

from dispatcher.delivery import Delivery
from dispatcher.flight import Flight, FlightReader
from schemas.codec import Undecodable
from streaming import metrics
from streaming.consumer import ConsumerLoop
from streaming.keeping import keep
from streaming.offsets import OffsetTracker
from streaming.producer import Acks, Producer
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
        topics: Topics,
    ) -> None:
        self._loop = loop
        self._producer = producer
        self._reader = reader
        self._delivery = delivery
        self._topics = topics

    def assigned(self, partitions: Collection[Partition]) -> None:
        """Nothing to prepare: a dispatch is self-contained."""

    def revoked(self, trackers: Collection[OffsetTracker]) -> None:
        """What waits is given back, what is in flight ends."""
        self._delivery.hand_back()

    def has_room(self) -> bool:
        """See `Delivery.has_room`."""
        return self._delivery.has_room()

    def closed(self) -> Collection[Partition]:
        """Retry partitions of which enough is kept until it is due."""
        return cast("Collection[Partition]", self._delivery.full())

    def turn(self) -> None:
        """Bring the gauges up to date."""
        self._delivery.show()

    def take(self, batch: Sequence[Taken]) -> None:
        """Hand the batch to the event loop as one."""
        flights: list[Flight] = []
        for tracker, message in batch:
            offset = cast("int", message.offset())
            try:
                flights.append(self._reader.read(tracker, offset, message.value()))
            except Undecodable as fault:
                self._bury(tracker, offset, message, fault)
        if flights:
            self._delivery.hand_over(flights)

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

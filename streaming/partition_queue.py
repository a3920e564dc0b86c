"""What waits to be written to one partition, in order, and the number that it is known by."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, final

from confluent_kafka import KafkaError

from streaming.broker import Identity
from streaming.record_batch import RecordBatch

FULL: Final = 1_000_000
"""Bytes of records that one batch takes, but for a record which is larger itself. A broker's own
limit is on what is compressed."""
NOBODY: Final = -1
"""The leader of a partition whose leader is not known."""
_DUPLICATE: Final = 46
"""What was sent again had been written, and only the answer was lost."""
_FORGOTTEN: Final = frozenset({
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, KafkaError.INVALID_PRODUCER_EPOCH, 59,
})  # fmt: skip
"""The broker does not know this producer any more (59: UNKNOWN_PRODUCER_ID), or not what it wrote
last."""
_PASSING: Final = frozenset({
    KafkaError.INVALID_MSG, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.REQUEST_TIMED_OUT,
    KafkaError.BROKER_NOT_AVAILABLE, KafkaError.REPLICA_NOT_AVAILABLE,
    KafkaError.NETWORK_EXCEPTION, KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND, KafkaError.NOT_CONTROLLER,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.KAFKA_STORAGE_ERROR, KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.THROTTLING_QUOTA_EXCEEDED,
})  # fmt: skip
"""What Kafka's own client tries again for. INVALID_MSG is a checksum that does not fit: the batch
was damaged on its way."""


@final
class PartitionQueue:
    """Batches, the first of which is sent, unchanged, until the broker has answered for it.

    So there is one under way at most, and the broker can tell by its number one that it has
    already. A queue has a producer id of its own: what is begun anew for one is not for all.
    """

    __slots__ = (
        "_closed", "_gathering", "_sequence", "busy", "identity", "leader", "number", "topic",
    )  # fmt: skip

    def __init__(self, topic: str, number: int) -> None:
        self.topic = topic
        self.number = number
        self.leader = NOBODY
        self.busy = False
        """For whoever writes it: it has a place in some line already."""
        self.identity: Identity | None = None
        """None until it has one, and when it needs another."""
        self._sequence = 0
        """Of its next record."""
        self._gathering = RecordBatch()
        self._closed: deque[RecordBatch] = deque()

    def __len__(self) -> int:
        """Batches that wait, the one that is gathered too."""
        return len(self._closed) + (self._gathering.count > 0)

    def add(self, key: bytes, value: bytes, reports: Any) -> int:
        """A record; `reports` is its set's (`streaming.acks`). Returns its bytes."""
        batch = self._gathering
        if batch.count and batch.size + len(value) > FULL:
            self._closed.append(batch)
            batch = self._gathering = RecordBatch()
        return batch.add(key, value, reports)

    def seal(self) -> None:
        """The first batch takes no more records. Needs one record at least."""
        if not self._closed:
            self._closed.append(self._gathering)
            self._gathering = RecordBatch()

    def identify(self, identity: Identity) -> None:
        """It is known to the broker by this, and has written nothing."""
        self.identity = identity
        self._sequence = 0

    def encode(self, now: int) -> bytes:
        """The first batch, sealed; `now` in milliseconds since 1970. Needs an identity."""
        identity, batch = self.identity, self._closed[0]
        assert identity is not None
        if not batch.closed:
            batch.close(now)
        return batch.encode(identity.producer_id, identity.epoch, self._sequence)

    def answered(self, code: int) -> RecordBatch | None:
        """What the broker said of the first batch. Returns it when it is done with, its records
        written or refused for good; None when it is to be sent again, to whoever leads then."""
        batch = self._closed[0]
        if code in _PASSING or code in _FORGOTTEN:
            self.leader = NOBODY
            if code in _FORGOTTEN:
                self.identity = None
            return None
        if code in (KafkaError.NO_ERROR, _DUPLICATE):
            self._sequence = (self._sequence + batch.count) & 0x7FFFFFFF
        else:
            # It may have been written before, by a try whose answer was lost: its number must not
            # be the next one's, which the broker would then take for it.
            self.identity = None
            batch.refuse(KafkaError(code))
        self._closed.popleft()
        return batch

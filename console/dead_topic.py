"""`pca.dead`, read from one offset to another, by nobody's group and without a trace."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streaming.errors import lasting
from streaming.settings import Settings
from streaming.topics import TopicError, topics
from streaming.watermarks import watermarks

log = logging.getLogger(__name__)

KAFKA_SECONDS = 30.0
"""How long Kafka may be silent before it is given up."""
FIRST_ANSWER = 10.0
"""Seconds; the same before it has said anything: more likely it is not there at all."""
_AT_ONCE = 1_000
_TURN = 0.2
"""Seconds; an interruption is noticed after so long."""

Spans = Mapping[int, tuple[int, int]]
"""Partition → the first offset, and the one behind the last."""


class DeadTopic:
    """Reads; to be closed. Its methods raise KafkaException where Kafka is silent or refuses."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._name = topics(settings).dead
        self._consumer = Consumer(
            {
                "queued.max.messages.kbytes": 16_384,
                **settings.kafka,
                "group.id": "pca-dead",  # librdkafka wants one; nothing is ever committed
                "client.id": "pca-dead",
                # What is deleted while it is read is left out.
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "allow.auto.create.topics": False,
                "logger": log,
            }
        )

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def spans(self) -> Spans:
        """What the topic holds now.

        Raises `TopicError` where it, or the one that is replayed to, is missing: none is made
        here, for most likely the settings name another Kafka than the stages'.
        """
        present = self._consumer.list_topics(timeout=FIRST_ANSWER).topics
        for name in (self._name, topics(self._settings).dispatch):
            if name not in present:
                raise TopicError(
                    f"Kafka at {self._settings.bootstrap} has no topic {name}"
                    " (PCA_KAFKA_BOOTSTRAP_SERVERS and PCA_TOPIC_PREFIX say where to look)"
                )
        return {
            partition: watermarks(
                self._consumer, self._name, partition, patience=FIRST_ANSWER, answer=FIRST_ANSWER
            )
            for partition in present[self._name].partitions
        }

    def batches(self, spans: Spans) -> Iterator[list[Message]]:
        """The records within the spans, each partition's in order."""
        ends = {partition: high for partition, (low, high) in spans.items() if low < high}
        self._consumer.incremental_assign(
            [TopicPartition(self._name, partition, spans[partition][0]) for partition in ends]
        )
        heard = time.monotonic()
        while ends:
            batch, reached = self._next(ends)
            if batch:
                yield batch
            # Not by an error, which librdkafka repeats while Kafka is away.
            if reached:
                heard = time.monotonic()
            elif time.monotonic() - heard > KAFKA_SECONDS:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            self._leave(ends, reached)

    def _next(self, ends: Mapping[int, int]) -> tuple[list[Message], dict[int, int]]:
        """Records that have arrived, and up to where each partition has been read."""
        batch: list[Message] = []
        reached: dict[int, int] = {}
        first = self._consumer.poll(_TURN)
        if first is None:
            return batch, reached
        for message in [first, *self._consumer.consume(_AT_ONCE - 1, 0)]:
            error = message.error()
            partition, offset = cast("int", message.partition()), cast("int", message.offset())
            if error is None:
                reached[partition] = offset + 1
                if offset < ends.get(partition, 0):
                    batch.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                # Behind the last record where marks of transactions stand last.
                reached[partition] = offset
            elif lasting(error):
                raise KafkaException(error)
        return batch, reached

    def _leave(self, ends: dict[int, int], reached: Mapping[int, int]) -> None:
        """What was written since is not even fetched."""
        done = [each for each, at in reached.items() if each in ends and at >= ends[each]]
        for partition in done:
            del ends[partition]
        if done:
            self._consumer.incremental_unassign([TopicPartition(self._name, p) for p in done])

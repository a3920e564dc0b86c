"""A compacted topic as a table in memory: the partitions that lie beside our input, and no others.

For the router that is `pca.config`, for the dispatcher `pca.endpoints`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import time
from collections.abc import Collection
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streaming import metrics
from streaming.errors import lasting
from streaming.settings import Settings
from streaming.watermarks import watermarks

log = logging.getLogger(__name__)

LOADING_BATCH = 10_000
TURN_BUDGET = 0.2
"""Seconds of loading in one turn, so that the consumer loop keeps in touch with its group."""


def _return_memory() -> None:
    """Give back to the system what fetching left behind; only glibc needs to be asked."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


class Table(Protocol):
    """What keeps the records. Called in the thread that polls."""

    def apply(self, partition: int, key: bytes, value: bytes | None) -> None:
        """A record: the newest for its key; None deletes it. Must not raise for bad bytes."""

    def drop(self, partition: int) -> None:
        """Forget everything from that partition."""


class ConfigTable:
    """Follows some partitions of the config topic and knows when each is loaded.

    A partition is loaded when it has been read up to or past where its end was when we began: by
    its last record, or by the end-of-partition event where no record stands last (transaction
    markers).
    """

    def __init__(self, settings: Settings, topic: str, table: Table, name: str = "config") -> None:
        self._topic = topic
        self._table = table
        self._loading: dict[int, int] = {}
        """Partition → the watermark to reach."""
        self._began = 0.0
        self._records = 0
        self._partitions: set[int] = set()
        self._consumer = Consumer(
            {
                "fetch.queue.backoff.ms": 10,
                # A fetch under way delays one for partitions that were added since by so much.
                "fetch.wait.max.ms": 100,
                # What is fetched ahead is memory above the table's own.
                "queued.max.messages.kbytes": 8_192,
                **settings.kafka,
                "group.id": f"pca-{name}",  # librdkafka wants one; nothing is ever committed
                "client.id": f"pca-{name}",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "logger": log,
            }
        )

    def follow(self, partitions: Collection[int]) -> None:
        """From now on these partitions. Those already followed stay loaded; others are dropped.

        Raises KafkaException when the broker does not tell where a partition ends.
        """
        wanted = set(partitions)
        for partition in self._partitions - wanted:
            self._table.drop(partition)
            self._loading.pop(partition, None)
        new = wanted - self._partitions
        start = []
        for partition in new:
            # A table of that partition from long ago would hide deletions made since.
            self._table.drop(partition)
            low, high = watermarks(self._consumer, self._topic, partition, patience=30, answer=5)
            # The offset itself, not OFFSET_BEGINNING: that would be looked up once more.
            start.append(TopicPartition(self._topic, partition, low))
            if low < high:
                self._loading[partition] = high
        gone = [TopicPartition(self._topic, partition) for partition in self._partitions - wanted]
        if gone:
            self._consumer.incremental_unassign(gone)
        if new:
            self._consumer.incremental_assign(start)
            self._began = time.monotonic()
            self._records = 0
            # Everything that loading makes will stay: collecting finds nothing and costs seconds.
            gc.disable()
        if not self._loading:
            gc.enable()
        self._partitions = wanted
        self._show()

    def poll(self) -> None:
        """Apply what has arrived. Raises KafkaException for an error that does not pass."""
        if not self._partitions:
            return
        until = time.monotonic() + TURN_BUDGET
        while messages := self._consumer.consume(LOADING_BATCH, 0 if not self._loading else 0.01):
            applied = 0
            for message in messages:
                error = message.error()
                if error is None:
                    key, partition = message.key(), message.partition() or 0
                    if key is not None:
                        self._table.apply(partition, key, message.value())
                        applied += 1
                    if self._loading:
                        self._reached(partition, (message.offset() or 0) + 1)
                elif error.code() == KafkaError._PARTITION_EOF:
                    self._reached(message.partition() or 0, message.offset() or 0)
                elif lasting(error):
                    raise KafkaException(error)
                else:
                    log.warning("%s: %s", self._topic, error.str())  # librdkafka goes on by itself
            self._records += applied
            metrics.CONFIG_RECORDS.inc(applied)
            if time.monotonic() > until:
                break

    def _reached(self, partition: int, offset: int) -> None:
        """Everything below `offset` has been applied."""
        watermark = self._loading.get(partition)
        if watermark is None or offset < watermark:
            return
        del self._loading[partition]
        self._show()
        if not self._loading:
            gc.enable()
            gc.freeze()
            _return_memory()
            log.info(
                "table loaded",
                extra={
                    "topic": self._topic,
                    "partitions": len(self._partitions),
                    "records": self._records,
                    "seconds": round(time.monotonic() - self._began, 2),
                },
            )

    def loading(self) -> Collection[int]:
        """Partitions whose configuration is not complete yet: calls must wait for them."""
        return self._loading.keys()

    def close(self) -> None:
        """Stop following."""
        self._consumer.close()

    def _show(self) -> None:
        metrics.CONFIG_PARTITIONS.labels("loading").set(len(self._loading))
        metrics.CONFIG_PARTITIONS.labels("loaded").set(len(self._partitions) - len(self._loading))

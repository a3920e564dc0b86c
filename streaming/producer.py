"""Writing to Kafka: idempotent, acknowledged by every in-sync copy, never skipped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence

import confluent_kafka
from mypy_extensions import mypyc_attr

from streaming.acks import Acks
from streaming.partitions import PARTITIONER
from streaming.settings import Settings

log = logging.getLogger(__name__)

MAX_UNACKNOWLEDGED = 20_000
"""Outputs of a stage that may wait for the broker, unless it says less."""
SILENCE = 0.5
"""Seconds without an answer, while records wait for one, after which the broker counts as away."""
Headers = list[tuple[str, bytes | str | None]]
_POLL = 0.1
_FULL = 0.002
"""Seconds until a full queue is tried again."""


_CONSUMER_PREFIXES = (
    "auto.", "fetch.", "group.", "heartbeat.", "isolation.", "max.poll.", "queued.", "session.",
)  # fmt: skip


def without_consumer_properties(kafka: Mapping[str, str]) -> dict[str, str | int | float]:
    """What a producer or an admin client understands: the rest would only make it complain."""
    return {name: value for name, value in kafka.items() if not name.startswith(_CONSUMER_PREFIXES)}


@mypyc_attr(allow_interpreted_subclasses=True)
class Producer:
    """A Kafka producer with a thread that collects the broker's answers.

    `timeout` is how many seconds a record may wait for the broker before its delivery fails; None
    waits for ever, which suits a stage: its input waits in Kafka meanwhile. `linger`: seconds that
    a record waits for others to be sent with, which spares both sides requests; librdkafka rounds
    it up to whole milliseconds. By default none: what the loop gathers is sent together anyway.
    """

    def __init__(
        self,
        settings: Settings,
        client_id: str,
        timeout: float | None = None,
        *,
        linger: float = 0.0,
    ) -> None:
        self._producer = confluent_kafka.Producer(
            {
                "linger.ms": linger * 1000,
                "compression.type": "lz4",
                "message.max.bytes": 8 * 1024 * 1024,
                **without_consumer_properties(settings.kafka),
                "client.id": client_id,
                "allow.auto.create.topics": False,  # topics are made with what they need
                "acks": "all",
                "enable.idempotence": True,
                # A leader that has just begun may refuse the first records of a producer that it
                # has not seen and take those that were sent after them, whatever their number; then
                # librdkafka would take the first for acknowledged. A broker works on one request
                # of a connection at a time anyway.
                "max.in.flight.requests.per.connection": 1,
                "delivery.report.only.error": True,  # the rest is in `Acks`
                "partitioner": PARTITIONER,
                "message.timeout.ms": 0 if timeout is None else int(timeout * 1000),
                "logger": log,
            }
        )
        self._answered_at: float = time.monotonic()
        self._closing = threading.Event()
        self._collector = threading.Thread(target=self._collect, name="producer", daemon=True)
        self._collector.start()

    def _collect(self) -> None:
        while not self._closing.is_set():
            if self._producer.poll(_POLL) or not len(self._producer):
                self._answered_at = time.monotonic()

    def __len__(self) -> int:
        """Records that the broker has not answered yet."""
        return len(self._producer)

    def is_unanswered(self) -> bool:
        """Records wait, and the broker has been silent: take in nothing more, for
        what is in hand when the broker comes back may be done twice."""
        return len(self._producer) > 0 and time.monotonic() - self._answered_at > SILENCE

    def send(
        self,
        topic: str,
        key: bytes | str | None,
        value: bytes | None,
        acks: Acks,
        *,
        partition: int = -1,
        headers: Headers | None = None,
    ) -> None:
        """Queue one record. Blocks while the queue is full.

        Raises KafkaException for what can never be sent (a record over `message.max.bytes`).
        """
        while True:
            try:
                if headers is None:
                    self._producer.produce(topic, value, key, partition, acks.reports)
                else:
                    self._producer.produce(
                        topic, value, key, partition, acks.reports, headers=headers
                    )
            except BufferError:
                # Not `poll`: answers belong to one thread, which collects them meanwhile.
                time.sleep(_FULL)
            else:
                return

    def send_all(
        self, topic: str, records: Sequence[tuple[bytes | str | None, bytes | None]], acks: Acks
    ) -> None:
        """`send` for many records, each a key and a value."""
        produce, reports = self._producer.produce, acks.reports
        for key, value in records:
            while True:
                try:
                    produce(topic, value, key, -1, reports)
                except BufferError:
                    time.sleep(_FULL)
                else:
                    break

    def close(self, timeout: float) -> int:
        """Wait up to `timeout` seconds for the broker's answers; how many are still missing."""
        self._closing.set()
        self._collector.join(2 * _POLL + 1)
        return int(self._producer.flush(timeout))


def is_behind(producer: Producer, most: int = MAX_UNACKNOWLEDGED) -> bool:
    """Kafka does not keep up with what is written: a stage takes in nothing more."""
    return len(producer) >= most or producer.is_unanswered()

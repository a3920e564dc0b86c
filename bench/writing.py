"""Writing to Kafka what a measurement needs there, until it is acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import KafkaError

from streaming import topics as kafka_topics
from streaming.acks import Acks
from streaming.producer import Producer
from streaming.producers import producer_for
from streaming.settings import Settings

ACK_SECONDS = 120.0


class Writer:
    """Hands records to a producer."""

    def __init__(self, producer: Producer, acks: Acks) -> None:
        self._producer = producer
        self._acks = acks

    def send(self, topic: str, key: bytes | str, value: bytes, partition: int = -1) -> None:
        """One record, to the partition of the key where none is told."""
        self._producer.send(topic, key, value, self._acks, partition=partition)

    def send_all(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
        """Keys and values, as our stages write: those of all partitions in one request."""
        self._producer.send_all(topic, records, self._acks)


@contextmanager
def writing(settings: Settings) -> Iterator[Writer]:
    """Inside, records can be sent; leaving waits until Kafka has them all. Raises RuntimeError
    where it does not take them."""
    producer = producer_for(settings, "bench", kafka_topics.topics(settings))
    refused: list[KafkaError] = []
    answered = threading.Event()

    def acknowledged(error: KafkaError | None) -> None:
        if error is not None:
            refused.append(error)
        answered.set()

    acks = Acks(acknowledged)
    try:
        yield Writer(producer, acks)
        acks.seal()
        if not answered.wait(ACK_SECONDS) or refused:
            raise RuntimeError(f"Kafka did not take what was written: {refused}")
    finally:
        producer.close(1)

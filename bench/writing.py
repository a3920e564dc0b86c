"""Writing to Kafka what a measurement needs there, until it is acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from confluent_kafka import KafkaError

from streaming.acks import Acks
from streaming.producer import Producer
from streaming.settings import Settings

ACK_SECONDS = 120.0


class Send(Protocol):
    """Hands a record to the producer."""

    def __call__(self, topic: str, key: bytes | str, value: bytes, partition: int = -1) -> None:
        """To the partition of the key where none is told."""


@contextmanager
def writing(settings: Settings) -> Iterator[Send]:
    """Inside, records can be sent; leaving waits until Kafka has them all. Raises RuntimeError
    where it does not take them."""
    producer = Producer(settings, "bench")
    refused: list[KafkaError] = []
    answered = threading.Event()

    def acknowledged(error: KafkaError | None) -> None:
        if error is not None:
            refused.append(error)
        answered.set()

    acks = Acks(acknowledged)

    def send(topic: str, key: bytes | str, value: bytes, partition: int = -1) -> None:
        producer.send(topic, key, value, acks, partition=partition)

    try:
        yield send
        acks.seal()
        if not answered.wait(ACK_SECONDS) or refused:
            raise RuntimeError(f"Kafka did not take what was written: {refused}")
    finally:
        producer.close(1)

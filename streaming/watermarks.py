"""Where a partition begins and ends, asked until the broker says."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streaming.errors import lasting


def watermarks(
    consumer: Consumer, topic: str, partition: int, *, patience: float, answer: float
) -> tuple[int, int]:
    """The first offset, and the one behind the last.

    Waits `answer` seconds for each answer. Raises KafkaException for an error that does not pass,
    and after `patience` seconds for any.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            low, high = consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=answer
            )
        except KafkaException as error:
            # A leader that is changing, or a topic that was just created.
            if time.monotonic() > deadline or lasting(error.args[0]):
                raise
            time.sleep(0.02)
        else:
            return low, high

"""What is made of the messages that a consumer loop has read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from confluent_kafka import KafkaError, Message

from streaming.offsets import OffsetTracker
from streaming.stage import Partition, Taken


class Reading:
    """Of one read."""

    def __init__(self) -> None:
        self.batch: list[Taken] = []
        """The records to be done."""
        self.counts: dict[str, int] = {}
        """How many of them are of which topic."""
        self.repeats = 0
        """Records that were done before, left out."""
        self.errors: list[KafkaError] = []


def noted(messages: Sequence[Message], trackers: Mapping[Partition, OffsetTracker]) -> Reading:
    """Note each record with the tracker of its partition; one of another partition was fetched
    before that was taken away, and is left out."""
    reading = Reading()
    for message in messages:
        error = message.error()
        if error is not None:
            reading.errors.append(error)
            continue
        topic = cast("str", message.topic())
        tracker = trackers.get((topic, cast("int", message.partition())))
        if tracker is None:
            continue
        if tracker.read(cast("int", message.offset())):
            reading.batch.append((tracker, message))
            reading.counts[topic] = reading.counts.get(topic, 0) + 1
        else:
            reading.repeats += 1
    return reading

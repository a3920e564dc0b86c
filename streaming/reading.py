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

    def count(self, topic: str, more: int) -> None:
        """So many more are of this topic."""
        if more:
            self.counts[topic] = self.counts.get(topic, 0) + more


def noted(messages: Sequence[Message], trackers: Mapping[Partition, OffsetTracker]) -> Reading:
    """Note each record with the tracker of its partition; one of another partition was fetched
    before that was taken away, and is left out."""
    reading = Reading()
    batch = reading.batch
    tracker: OffsetTracker | None = None
    topic, partition, counted = "", -1, 0
    for message in messages:
        error = message.error()
        if error is not None:
            reading.errors.append(error)
            continue
        its_topic = cast("str", message.topic())
        its_partition = cast("int", message.partition())
        if its_partition != partition or its_topic != topic:  # they come in runs
            reading.count(topic, len(batch) - counted)
            counted = len(batch)
            topic, partition = its_topic, its_partition
            tracker = trackers.get((topic, partition))
        if tracker is None:
            continue
        if tracker.read(cast("int", message.offset())):
            batch.append((tracker, message))
        else:
            reading.repeats += 1
    reading.count(topic, len(batch) - counted)
    return reading

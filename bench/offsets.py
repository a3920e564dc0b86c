"""Kafka between two runs: what stands where, what is forgotten, what is thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from confluent_kafka import (
    OFFSET_END,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from streaming import topics as kafka_topics
from streaming.settings import Settings

PATIENCE = 60.0
"""Seconds until Kafka does what it is asked: members of a group that were killed time out."""
_ANSWER = 30.0
T = TypeVar("T")
_PASSING = frozenset({
    KafkaError.NON_EMPTY_GROUP, KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.LEADER_NOT_AVAILABLE, KafkaError._TIMED_OUT,
})  # fmt: skip


class Offsets:
    """Of the topics of these settings. Use by one thread at a time.

    What Kafka cannot do yet (a topic or a coordinator is new) is asked again.
    """

    def __init__(self, settings: Settings) -> None:
        self._admin = kafka_topics.admin(settings)
        self._topics = kafka_topics.topics(settings)

    def ends(self, topic: str) -> dict[int, int]:
        """Behind the last record of each partition."""
        count = self._topics.all[topic].partitions
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(topic, each): latest for each in range(count)}

        def ask() -> dict[int, int]:
            answers = self._admin.list_offsets(asked, request_timeout=_ANSWER)
            return {place.partition: future.result().offset for place, future in answers.items()}

        return _patiently(ask)

    def written(self, topic: str) -> int:
        """Records written since the topic was made."""
        return sum(self.ends(topic).values())

    def lag(self, group: str, topic: str) -> int:
        """Records of a topic that the group has not committed."""
        places = [TopicPartition(topic, each) for each in self.ends(topic)]
        asked = [ConsumerGroupTopicPartitions(group, places)]

        def ask() -> int:
            found = self._admin.list_consumer_group_offsets(asked, request_timeout=_ANSWER)
            committed = found[group].result().topic_partitions or []
            return sum(max(0, place.offset) for place in committed)

        return self.written(topic) - _patiently(ask)

    def empty(self, keep: Sequence[str] = ()) -> None:
        """Throw away all records but those of compacted topics and of `keep`."""
        places = [
            TopicPartition(name, each, OFFSET_END)
            for name, topic in self._topics.all.items()
            if topic.cleanup_policy == "delete" and name not in keep
            for each in range(topic.partitions)
        ]

        def ask() -> None:
            for future in self._admin.delete_records(places, request_timeout=_ANSWER).values():
                future.result()

        _patiently(ask)

    def forget(self, group: str) -> None:
        """Delete a group, so that its next member begins at the start. Waits for members that are
        about to leave; raises KafkaException when they do not."""

        def ask() -> None:
            try:
                self._admin.delete_consumer_groups([group], request_timeout=_ANSWER)[group].result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                    raise

        _patiently(ask)


def _patiently(ask: Callable[[], T]) -> T:
    """Ask until Kafka does it; raises KafkaException for what does not pass."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _PASSING or time.monotonic() > deadline:
                raise
        time.sleep(0.1)

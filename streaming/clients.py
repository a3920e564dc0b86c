"""The clients that fetch for a consumer loop: a member of the group, and perhaps one beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

from streaming.settings import Settings

log = logging.getLogger(__name__)

Assigned = Callable[[Consumer, list[TopicPartition]], None]

FETCH: dict[str, Any] = {
    # Nothing is fetched while a few records wait to be taken: else the next fetch is sent at once,
    # finds the one or two that have come since, and the broker is busy answering these.
    "queued.min.messages": 4,
    # After so long it is looked whether they were taken, and that is what a record waits for at
    # most loads. Sooner, and near the highest load brokers and clients are busy with small fetches.
    "fetch.queue.backoff.ms": 3,
    # What is fetched ahead costs memory: without bounds a backlog of retries brings a megabyte for
    # each of a hundred partitions at once. A larger record comes all the same.
    "queued.max.messages.kbytes": 4_096,
    "fetch.max.bytes": 4 * 1024 * 1024,
    "fetch.message.max.bytes": 256 * 1024,
    # Until then a fetch that finds nothing waits, and with it partitions that it does not name:
    # those that are resumed, or were held back by the bound on what waits.
    "fetch.wait.max.ms": 20,
    "socket.timeout.ms": 10_000,
}
WAIT = 0.5
"""Seconds that a fetch of topics that can wait does so, at most."""
ENOUGH = 64 * 1024
"""Bytes that end the wait of a fetch of topics that can wait, and that it brings of a partition."""
PLENTY = 100_000
"""Records fetched ahead, at most, where bytes are what bounds them."""
PORTION = 10
"""Of their records, so many are read at once: a stage that has enough of a partition can say so
before it is given hundreds more."""


class Clients:
    """Reads `topics` as a member of a group; those that can `wait` by a client of their own.

    A client names each partition that it reads in each of its fetches, and the broker looks at all
    of them. Where most are of topics whose records can wait (retries, due in seconds), they would
    slow down each fetch of those that cannot. So a second client fetches them: it is no member of
    the group, but is given what the member is assigned.
    """

    def __init__(
        self,
        settings: Settings,
        group: str,
        topics: Sequence[str],
        on_commit: Callable[..., None],
        waiting: Sequence[str] = (),
        wait: float = WAIT,
    ) -> None:
        """`waiting`: those of the topics whose records can wait, for as many seconds as `wait`."""
        self._topics = list(topics)
        self._waiting = frozenset(waiting)
        self.properties: dict[str, Any] = {
            "session.timeout.ms": 6_000,
            "heartbeat.interval.ms": 1_000,
            **FETCH,
            **settings.kafka,
            "group.id": group,
            "client.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # Partition i of every topic to one member: what belongs together stays together.
            "partition.assignment.strategy": "range",
            "on_commit": on_commit,
            "logger": log,
        }
        """Of the member."""
        self._assignments = 0
        self._member = Consumer(self.properties)
        self._second: Consumer | None = None
        self._more = False
        """The second may have more at once."""
        if waiting:
            patient = {
                "fetch.wait.max.ms": int(wait * 1000),
                "fetch.min.bytes": ENOUGH,
                # What was fetched of a partition that is paused then was fetched in vain.
                "fetch.message.max.bytes": ENOUGH,
                # Its fetches are few anyway.
                "queued.min.messages": PLENTY,
            }
            self._second = Consumer({**self.properties, **patient})
        # What belongs to the group is the member's alone.
        self.commit = self._member.commit
        self.committed = self._member.committed

    def subscribe(self, on_assign: Assigned, on_revoke: Assigned, on_lost: Assigned) -> None:
        """Join the group. The callbacks are called inside `read`, `listen` and `close`."""
        self._member.subscribe(
            self._topics, on_assign=on_assign, on_revoke=on_revoke, on_lost=on_lost
        )

    def read(self, count: int, timeout: float) -> list[Message]:
        """What has come, errors too; waits so many seconds for a first record that cannot wait."""
        messages: list[Message] = []
        first = self._member.poll(0 if self._more else timeout)
        if first is not None:
            assignments = self._assignments
            messages = self._member.consume(count - 1, 0)
            # A rebalance in between: the first came from an assignment that is over.
            if assignments == self._assignments:
                messages.insert(0, first)
        if self._second is not None:
            portion = self._second.consume(PORTION, 0)
            self._more = len(portion) == PORTION
            messages += portion
        return messages

    def listen(self, timeout: float) -> None:
        """Take part in the group while everything is paused."""
        self._member.poll(timeout)

    def assign(self, positions: Sequence[TopicPartition]) -> None:
        """Read from these, and nothing else. To be called when the group assigns partitions."""
        self._assignments += 1
        for client, its in self._divided(positions):
            client.assign(its)

    def unassign(self) -> None:
        """Read nothing any more. To be called when the group takes partitions away."""
        self._member.unassign()
        self.forget()

    def forget(self) -> None:
        """The same where they were lost: the member's own are gone already."""
        if self._second is not None:
            self._second.unassign()

    def pause(self, partitions: Collection[tuple[str, int]]) -> None:
        """Deliver nothing of these until `resume`. Throws away what was fetched ahead."""
        for client, its in self._divided([TopicPartition(*each) for each in partitions]):
            if its:
                client.pause(its)

    def resume(self, partitions: Collection[tuple[str, int]]) -> None:
        """End a `pause`."""
        for client, its in self._divided([TopicPartition(*each) for each in partitions]):
            if its:
                client.resume(its)

    def close(self) -> None:
        """Leave the group; what is left is taken away before."""
        self._member.close()
        if self._second is not None:
            self._second.close()

    def _divided(
        self, partitions: Sequence[TopicPartition]
    ) -> list[tuple[Consumer, list[TopicPartition]]]:
        """Each client, and those of the partitions that it reads."""
        if self._second is None:
            return [(self._member, list(partitions))]
        return [
            (self._member, [each for each in partitions if each.topic not in self._waiting]),
            (self._second, [each for each in partitions if each.topic in self._waiting]),
        ]

"""What the consumer loop asks of a stage: the contract of router and dispatcher."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from confluent_kafka import Message

from streaming.offsets import OffsetTracker

IDLE_POLL = 0.05
"""Seconds that an idle loop waits for records before it looks at its mailbox again."""

Partition = tuple[str, int]
Taken = tuple[OffsetTracker, Message]


class Stage(Protocol):
    """What is done with the records. All methods are called in the loop's thread."""

    def assigned(self, partitions: Collection[Partition]) -> None:
        """These partitions are now ours, all of them anew. May block for a short while."""

    def revoked(self, trackers: Collection[OffsetTracker]) -> None:
        """These are being taken away. Must not block.

        What has not started must not start any more: `ConsumerLoop.abandon` it. What is in
        flight may end, `complete` it; the loop waits a little for it.
        """

    def settled(self) -> bool:
        """The broker has answered for everything that was written."""

    def take(self, batch: Sequence[Taken]) -> None:
        """Records to be done. Every one must be completed or abandoned later, in any order.

        Must not block for longer than work in memory takes; may raise to stop the process when a
        record can be neither done nor kept.
        """

    def has_room(self) -> bool:
        """False while enough is in hand, so that nothing more is read."""

    def closed(self) -> Collection[Partition]:
        """Partitions from which nothing can be taken for now. Asked on every turn: be quick."""

    def turn(self) -> None:
        """Called on every turn, at least every `IDLE_POLL` seconds unless records keep coming."""

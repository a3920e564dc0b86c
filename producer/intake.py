"""Batches of calls to Kafka: bounded in number and in bytes, acknowledged as a whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException

from producer.batch import Batch
from producer.watch import Watch
from streaming.acks import Acks
from streaming.problems import Problem
from streaming.producer import Producer

log = logging.getLogger(__name__)

MAX_QUEUED_BYTES = 128 * 1024 * 1024
RETRY_WHEN_FULL = 1
RETRY_WHEN_AWAY = 2
"""Seconds, for the header Retry-After."""


class Intake:
    """Writes batches to the calls topic. Lives in one event loop."""

    def __init__(
        self,
        sender: Producer,
        topic: str,
        watch: Watch,
        *,
        max_queued: int,
        on_fatal: Callable[[], None],
    ) -> None:
        """`on_fatal` is called when the sender can never write again: end the process."""
        self._sender = sender
        self._topic = topic
        self._watch = watch
        self._max_queued = max_queued
        self._on_fatal = on_fatal
        self._queued_bytes = 0

    def check(self, calls: int = 0, size: int = 0) -> None:
        """Raise `Problem` 503 unless so many more calls, of `size` bytes, can be taken.

        Without a ready Kafka nothing is tried: the topic might not be there yet, and a broker
        might create it with another number of partitions.
        """
        if self._watch.reason is not None:
            raise _unavailable(
                "Kafka away", f"{self._watch.reason}. No call was written.", RETRY_WHEN_AWAY
            )
        queued = len(self._sender)
        if queued + calls > self._max_queued or self._queued_bytes + size > MAX_QUEUED_BYTES:
            raise _unavailable(
                "Too many calls are waiting",
                f"{queued:,} calls wait for Kafka's acknowledgement. No call of this request was"
                " written.",
                RETRY_WHEN_FULL,
            )

    async def write(self, batch: Batch) -> None:
        """Return when the broker has every call. Raises `Problem` 503 when it has not."""
        self.check(len(batch), batch.size)
        if not len(batch):
            return
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[KafkaError | None] = loop.create_future()

        def on_all(error: KafkaError | None) -> None:
            loop.call_soon_threadsafe(self._settle, batch.size, answered, error)

        self._queued_bytes += batch.size
        acks = Acks(on_all)
        try:
            for key, value in zip(batch.keys, batch.values, strict=True):
                self._sender.send(self._topic, key, value, acks)
        except KafkaException as refused:
            # What was sent before goes on its way; nobody waits for the answers.
            self._settle(batch.size, answered, refused.args[0])
        else:
            acks.seal()
        error = await answered
        if error is not None:
            raise _unavailable(
                "Kafka away",
                f"Kafka did not take all calls: {error.str()}. Some may nevertheless arrive."
                " Repeating the request is safe: the same sid and revision give the same dispatch"
                " ids.",
                RETRY_WHEN_AWAY,
            )

    def _settle(
        self, size: int, answered: asyncio.Future[KafkaError | None], error: KafkaError | None
    ) -> None:
        self._queued_bytes -= size
        if error is None:
            self._watch.delivered()
        else:
            self._watch.failed(f"the last delivery failed: {error.str()}")
            if error.fatal():
                log.critical("the producer cannot go on", extra={"reason": error.str()})
                self._on_fatal()
        if not answered.done():  # the client may have gone
            answered.set_result(error)


def _unavailable(title: str, detail: str, retry_after: int) -> Problem:
    return Problem(503, title, detail, headers={"Retry-After": str(retry_after)})

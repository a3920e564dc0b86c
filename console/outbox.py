"""The outbox's way to Kafka: saved changes are published in order, and deleted once they are there.

A crash between saving and publishing loses nothing; one between publishing and deleting publishes
again, which readers of a compacted topic do not notice. While Kafka is away rows wait, and the
console goes on answering: `pca_outbox_waiting` shows them, readiness does not suffer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import orjson
from confluent_kafka import KafkaError, KafkaException
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from console.database import DATABASE_AWAY, Database
from console.lease import lease
from console.store.entities import RECORDS, Kind
from console.tables import OutboxRow
from schemas.codec import Codec, RegistryUnavailable
from streaming.acks import Acks
from streaming.metrics import CONFIG_PUBLISHED, OUTBOX_WAITING
from streaming.partitions import partition_of
from streaming.producer import Producer
from streaming.topics import TopicError

log = logging.getLogger(__name__)

T = TypeVar("T")
POLL_SECONDS = 0.5
"""How often other consoles' changes are looked for; those of this process are noticed at once."""
RETRY_SECONDS = 1.0
BATCH = 5_000

_ROW = (OutboxRow.sequence, OutboxRow.account_id, OutboxRow.key, OutboxRow.value,
        OutboxRow.version, OutboxRow.partition)  # fmt: skip


class NotPublished(Exception):
    """Kafka refused a batch; the rows stay in the outbox."""


class Publisher:
    """Publishes while `run` runs. Everything but `encode` and `send` happens in one event loop."""

    def __init__(
        self,
        database: Database,
        codec: Codec,
        topic: str,
        partitions: int,
        *,
        sender: Callable[[], Producer],
        prepare: Callable[[], Any],
    ) -> None:
        """`prepare` makes sure of the topics, and may block; nothing is sent before it succeeds.

        Both it and `sender` are called anew after every failure.
        """
        self._database = database
        self._codec = codec
        self._topic = topic
        self._partitions = partitions
        self._new_sender = sender
        self._prepare = prepare
        self._sender: Producer | None = None
        self._stopping = asyncio.Event()
        self.trouble: str | None = "not started"
        """Why the database cannot be used; None while it can."""

    async def run(self) -> None:
        """Publish until `stop`. Survives every failure of Kafka, registry and database."""
        while not self._stopping.is_set():
            try:
                async with lease(self._database) as connection:
                    if connection is None:
                        await self._follow()
                    else:
                        await self._lead(connection)
            except DATABASE_AWAY as error:
                self.trouble = f"the database does not answer ({type(error).__name__})"
                log.warning("database unavailable", extra={"error": _one_line(error)})
                await self._pause(RETRY_SECONDS)
            finally:
                await self._discard_sender()

    def stop(self) -> None:
        """Let `run` end once the outbox is empty, or when Kafka does not take it promptly."""
        self._stopping.set()
        self._database.committed.set()

    async def _follow(self) -> None:
        """Another console publishes: only count."""
        async with self._database.engine.connect() as connection:
            await self._count(connection)
        await self._pause(POLL_SECONDS)

    async def _lead(self, connection: AsyncConnection) -> None:
        """Publish for as long as the connection, and with it the lease, lives."""
        await self._count(connection)
        while not (self._stopping.is_set() and self._sender is None):
            try:
                if self._sender is None:
                    await self._meanwhile(asyncio.to_thread(self._prepare), connection)
                    self._sender = self._new_sender()
                self._database.committed.clear()
                if not await self._publish_batch(connection, self._sender):
                    if self._stopping.is_set():
                        return
                    await self._pause(POLL_SECONDS)
            except (TopicError, KafkaException, RegistryUnavailable, NotPublished) as error:
                log.warning("configuration not published yet", extra={"error": _one_line(error)})
                await self._discard_sender()
                await self._count(connection)
                await self._rest(RETRY_SECONDS)

    async def _publish_batch(self, connection: AsyncConnection, sender: Producer) -> int:
        """Publish the oldest rows and delete them; how many there were."""
        async with connection.begin():
            rows = (
                await connection.execute(select(*_ROW).order_by(OutboxRow.sequence).limit(BATCH))
            ).all()
        self.trouble = None
        if not rows:
            OUTBOX_WAITING.set(0)
            return 0
        if len(rows) < BATCH:
            OUTBOX_WAITING.set(len(rows))
        else:
            await self._count(connection)
        await self._meanwhile(self._send(rows, sender), connection)
        async with self._database.writing() as session:
            # These very rows: one with a lower sequence may have been committed meanwhile.
            await session.execute(
                delete(OutboxRow).where(OutboxRow.sequence.in_([row.sequence for row in rows]))
            )
        CONFIG_PUBLISHED.inc(len(rows))
        return len(rows)

    async def _send(self, rows: Sequence[Any], sender: Producer) -> None:
        """Return when the broker has every row. Raises `NotPublished`, and what encoding raises."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[KafkaError | None] = loop.create_future()

        def on_all(error: KafkaError | None) -> None:
            loop.call_soon_threadsafe(_answer, answered, error)

        # Encoded before any is sent: a half-sent batch would be sent twice. In threads, because the
        # registry, and a full queue, may make them wait.
        values = await asyncio.to_thread(lambda: [self._encode(row.key, row.value) for row in rows])
        await asyncio.to_thread(self._produce, rows, values, sender, Acks(on_all))
        error = await answered
        if error is not None:
            raise NotPublished(error.str())

    def _produce(
        self, rows: Sequence[Any], values: list[bytes | None], sender: Producer, acks: Acks
    ) -> None:
        for row, value in zip(rows, values, strict=True):
            partition = row.partition
            if partition is None:
                partition = partition_of(row.account_id, self._partitions)
            sender.send(
                self._topic,
                row.key,
                value,
                acks,
                partition=partition,
                headers=[("version", str(row.version).encode())],
            )
        acks.seal()

    def _encode(self, key: bytes, value: bytes | None) -> bytes | None:
        if value is None:
            return None
        kind = cast("Kind", key.split(b"/", 2)[1].decode())
        return self._codec.encode(RECORDS[kind], orjson.loads(value), self._topic)

    async def _meanwhile(self, work: Awaitable[T], connection: AsyncConnection) -> T:
        """The result of the work; until then, count what waits and see that the lease is held.

        Stopping gives up work that has not succeeded within `POLL_SECONDS`.
        """
        task = asyncio.ensure_future(work)
        try:
            while True:
                await asyncio.wait([task], timeout=POLL_SECONDS)
                if task.done():
                    return task.result()
                if self._stopping.is_set():
                    raise NotPublished("the console is stopping")
                await self._count(connection)
        finally:
            task.cancel()

    async def _count(self, connection: AsyncConnection) -> None:
        async with connection.begin():
            count = await connection.scalar(select(func.count()).select_from(OutboxRow))
        OUTBOX_WAITING.set(count or 0)
        self.trouble = None

    async def _pause(self, seconds: float) -> None:
        """Until something is committed here, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._database.committed.wait()
        except TimeoutError:
            pass

    async def _rest(self, seconds: float) -> None:
        """The whole time, or until `stop`."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _discard_sender(self) -> None:
        """What the old one still holds must not arrive after what the next one sends."""
        sender, self._sender = self._sender, None
        if sender is not None:
            await asyncio.to_thread(sender.close, 0)


def _answer(future: asyncio.Future[KafkaError | None], error: KafkaError | None) -> None:
    if not future.done():
        future.set_result(error)


def _one_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]

"""Writing the whole configuration to its topic again, and deleting what should not be there.

It mends a topic that was emptied, re-created, or written to by somebody else, and seals secrets
that are still plain, or sealed under an older key. All of it goes through the outbox, an account at
a time under that account's lock, so it may run beside changes.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections import defaultdict
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from sqlalchemy import insert

from console.database import Database
from console.store.changes import enqueue, lock, reseal
from console.store.entities import KINDS, Key
from console.store.state import account_ids, load
from console.tables import OutboxRow
from schemas.sealing import unopened
from streaming.partitions import partition_of
from streaming.problems import Problem
from streaming.settings import Settings
from streaming.topics import TopicError, ensure, topics

log = logging.getLogger(__name__)

KAFKA_SECONDS = 10.0
_AT_ONCE = 1_000
_OURS = re.compile(rf"([A-Za-z0-9][A-Za-z0-9._~-]{{0,63}})/({'|'.join(KINDS)})/(.+)")

Lying = dict[str, list[tuple[bytes, int]]]
"""Live keys and their partitions, by account; under "" what no account of ours can have written."""


async def republish(database: Database, settings: Settings) -> dict[str, int]:
    """Put everything into the outbox; how many of each kind, how many tombstones, and how many
    actions are `sealed` under a key that is not here: those are written as they are.

    Raises `Problem` 503 when Kafka does not answer; nothing has been done then.
    """
    try:
        await asyncio.to_thread(ensure, settings, KAFKA_SECONDS)
        lying = await asyncio.to_thread(live_keys, settings)
    except (KafkaException, TopicError) as error:
        raise Problem(503, "Kafka unavailable", str(error)) from error
    counts = dict.fromkeys([*KINDS, "tombstones", "sealed"], 0)
    async with database.reading() as session:
        accounts = set(await account_ids(session))
    for account_id in sorted(accounts | lying.keys()):
        await _republish_account(
            database, account_id, lying.get(account_id, []), settings.calls_partitions, counts
        )
    return counts


async def _republish_account(
    database: Database,
    account_id: str,
    lying: list[tuple[bytes, int]],
    partitions: int,
    counts: dict[str, int],
) -> None:
    async with database.writing() as session:
        version = await lock(session, account_id) if account_id else 0
        state = await load(session, account_id) if account_id else {}
        for (kind, id_), entity in state.items():
            counts[kind] += 1
            if kind == "action" and (closed := unopened(entity.settings)):
                counts["sealed"] += 1
                log.error(
                    "secrets are sealed under a key that is not in PCA_SECRET_KEYS",
                    extra={"account": account_id, "action": id_, "fields": closed},
                )
        await reseal(session, account_id, state)
        await enqueue(session, account_id, state.items(), version)
        right = partition_of(account_id, partitions)
        tombstones = [
            {"account_id": account_id, "key": key, "version": version, "partition": partition}
            for key, partition in lying
            if not (account_id and partition == right and _key(key) in state)
        ]
        counts["tombstones"] += len(tombstones)
        if tombstones:
            connection = await session.connection()
            await connection.execute(insert(OutboxRow.__table__), tombstones)  # type: ignore[arg-type]


def _key(key: bytes) -> Key:
    match = _OURS.fullmatch(key.decode())
    assert match is not None, "only keys that match are kept under an account"
    return cast("Key", (match[2], match[3]))


def live_keys(settings: Settings) -> Lying:
    """The keys on the config topic that have a value. Reads it all; raises KafkaException."""
    topic = topics(settings).config
    consumer = Consumer(
        dict(settings.kafka)
        | {
            # Nothing is committed and nobody joins it; librdkafka insists on a name.
            "group.id": f"pca-republish-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "allow.auto.create.topics": False,
        }
    )
    try:
        lying: Lying = defaultdict(list)
        # One partition after the other, so that memory holds the keys of one besides the result.
        for partition in range(settings.calls_partitions):
            for key in _live_keys_of(consumer, topic, partition):
                match = _OURS.fullmatch(key.decode("utf-8", "replace"))
                lying[match[1] if match else ""].append((key, partition))
        return lying
    finally:
        consumer.close()


def _live_keys_of(consumer: Consumer, topic: str, partition: int) -> list[bytes]:
    start = TopicPartition(topic, partition, OFFSET_BEGINNING)
    low, high = consumer.get_watermark_offsets(start, timeout=KAFKA_SECONDS)
    if low == high:
        return []
    live: dict[bytes, bool] = {}
    consumer.assign([start])
    ended = False
    while not ended:
        first = consumer.poll(KAFKA_SECONDS)
        if first is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        for message in [first, *consumer.consume(_AT_ONCE, 0)]:
            error: Any = message.error()
            if error is None and message.partition() == partition:
                live[cast("bytes", message.key()) or b""] = message.value() is not None
            elif error is not None and error.code() == KafkaError._PARTITION_EOF:
                # The end as it is now lies behind the watermark, marks of transactions included.
                ended = (message.offset() or 0) >= high
            elif error is not None:
                raise KafkaException(error)
    return [key for key, has_value in live.items() if has_value]

"""Kafka to HTTP the obvious way, as many teams have it: `python -m bench.peers.obvious`.

Under 80 lines, counted without imports, settings and docstrings: consume a batch, a task a record,
aiohttp, `urlencode`, fastavro, flush, commit. At least once: a batch is done when the broker has
all that came of it. From the project are the schemas, and how the value of a placeholder is
written. Settings are the dispatcher's, as environment variables. It knows GET with parameters, and
nothing else of what an action may ask for; a record that cannot be read ends it.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import ssl
import time
from collections import defaultdict
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import urlencode

import aiohttp
import fastavro
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.aio import AIOConsumer
from yarl import URL

from schemas.placeholders import PLACEHOLDERS
from schemas.released import Record, current

PREFIX = os.environ["PCA_TOPIC_PREFIX"]
KAFKA = {"bootstrap.servers": os.environ["PCA_KAFKA_BOOTSTRAP_SERVERS"]}
PRODUCER = {
    "enable.idempotence": True, "compression.type": "lz4", "linger.ms": 1, "partitioner": "murmur2",
}  # fmt: skip
CONSUMER = {
    "group.id": PREFIX + "pca-dispatcher", "auto.offset.reset": "earliest",
    "auto.commit.interval.ms": 1000, "enable.auto.offset.store": False,
}  # fmt: skip
CAP = int(os.environ["PCA_DISPATCHER_IN_FLIGHT"])
BATCH = max(1000, 4 * CAP)
IN_FLIGHT = asyncio.Semaphore(CAP)
OF_ACTION: dict[bytes, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(16))
COPIED = (
    "account_id", "dispatch_id", "action_id", "sid", "revision", "attempt", "config_version",
    "action_version",
)  # fmt: skip
tls = cache(lambda ca: ssl.create_default_context(cadata=ca) if ca else True)


async def attempted(session: aiohttp.ClientSession, dispatch: Record) -> Record:
    """Send the request of a dispatch; the Attempt record."""
    now, started = time.time_ns() // 1000, time.perf_counter()
    action, id_, number = dispatch["action"], dispatch["dispatch_id"], dispatch["attempt"]
    url, parameters = action["target_url"], action["parameters"]
    pairs = [(p["name"], PLACEHOLDERS[p["placeholder"]].value(dispatch)) for p in parameters]
    url += ("&" if "?" in url else "?") + urlencode(pairs)
    headers = {
        "User-Agent": "PostCallAction/1", "Accept": "*/*", "webhook-id": id_,
        "webhook-timestamp": str(now // 1_000_000), "webhook-attempt": str(number),
        "traceparent": f"00-{id_.replace('-', '')}-{number << 56 | now:016x}-01",
    }  # fmt: skip
    record = {name: dispatch[name] for name in COPIED} | {"outcome": "delivered", "status": None}
    record |= {"started_at": now, "method": "GET", "url": url, "request_headers": headers}
    options: Record = {"headers": headers, "ssl": tls((action["tls"] or {}).get("ca"))}
    body = b""
    try:
        async with session.get(URL(url, encoded=True), allow_redirects=False, **options) as answer:
            first_byte = int((time.perf_counter() - started) * 1e6)
            async for chunk in answer.content.iter_any():
                if len(body := body + chunk) > 64 * 1024:
                    break
        record |= {"status": answer.status, "response_headers": dict(answer.headers)}
        record |= {"response_body": body[:4096], "first_byte_us": first_byte}
        if not 200 <= answer.status < 300:
            again = answer.status in (408, 425, 429) or answer.status >= 500
            record |= {"outcome": "retry" if again else "dead", "error": "status"}
            record["fault"] = "customer"
    except (aiohttp.ClientError, TimeoutError) as error:
        kind = "timeout" if isinstance(error, TimeoutError) else "closed"
        record |= {"outcome": "retry", "error": kind, "fault": "customer"}
        record["error_detail"] = str(error)
    return record | {"duration_us": int((time.perf_counter() - started) * 1e6)}


def acknowledged(error: KafkaError | None, _: Message) -> None:
    """The broker's word on a record; `flush` raises what is raised here."""
    if error is not None:
        raise KafkaException(error)


def write(producer: Producer, topic: str, key: str | bytes, name: str, record: Record) -> None:
    """Produce a record."""
    out, schema = io.BytesIO(), current(name)
    fastavro.schemaless_writer(out, schema.parsed, record)
    value = schema.header + out.getvalue()
    producer.produce(PREFIX + topic, value, key, on_delivery=acknowledged)


async def deliver(session: aiohttp.ClientSession, producer: Producer, message: Message) -> None:
    """One record: its request, and what is written of it."""
    if (error := message.error()) is not None:
        raise KafkaException(error)
    key, value, schema = message.key() or b"", message.value() or b"", current("Dispatch")
    source = io.BytesIO(value.removeprefix(schema.header))
    dispatch: Any = fastavro.schemaless_reader(source, schema.parsed, None)
    async with OF_ACTION[key], IN_FLIGHT:
        record = await attempted(session, dispatch)
    if record["outcome"] != "delivered":
        failed_at = record["started_at"] + record["duration_us"]
        failure = {"error": record["error"], "status": record["status"], "failed_at": failed_at}
        dispatch["failure"] = failure
        if record["outcome"] == "retry":
            dispatch["attempt"] += 1
            dispatch["due_at"] = record["next_at"] = failed_at + 5_000_000
        topic = "retry.5s" if record["outcome"] == "retry" else "dead"
        write(producer, topic, key, "Dispatch", dispatch)
    write(producer, "attempts", dispatch["account_id"], "Attempt", record)


async def main() -> None:
    """Until SIGTERM; a batch in hand then is delivered again, as where Kafka fails."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    producer, timeout = Producer(KAFKA | PRODUCER), aiohttp.ClientTimeout(total=15)
    connector = aiohttp.TCPConnector(limit=0)  # the semaphores limit
    async with (
        AIOConsumer(KAFKA | CONSUMER) as consumer,
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
    ):
        await consumer.subscribe([PREFIX + "dispatch"])
        while True:
            messages = await consumer.consume(BATCH, 0.01)
            await asyncio.gather(*[deliver(session, producer, message) for message in messages])
            await asyncio.to_thread(producer.flush)
            done = [TopicPartition(m.topic(), m.partition(), m.offset() + 1) for m in messages]
            await consumer.store_offsets(offsets=done)  # what is stored is committed, each second


if __name__ == "__main__":
    with suppress(asyncio.CancelledError):
        asyncio.run(main())

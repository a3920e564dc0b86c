"""The dispatcher as a process: the consumer in a thread, requests on the event loop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from concurrent.futures import ThreadPoolExecutor

import uvloop

from dispatcher.breaker import Rules
from dispatcher.delivery import Delivery
from dispatcher.endpoint_table import EndpointTable
from dispatcher.flight import FlightReader
from dispatcher.ledger import Ledger
from dispatcher.schedule import Schedule
from dispatcher.stage import DispatcherStage
from dispatcher.traffic import Traffic
from dispatcher.transport.choice import transport
from schemas.sealing import Sealer
from streaming import topics as kafka_topics
from streaming import wire
from streaming.clients import WAIT
from streaming.consumer import ConsumerLoop
from streaming.health import HealthServer
from streaming.producers import producer_for
from streaming.settings import Settings, seconds

log = logging.getLogger(__name__)

GROUP = "pca-dispatcher"
LINGER = 0.05
"""Seconds. Nobody waits for an attempt or a retry but the offset that it completes."""


def run(settings: Settings) -> None:
    """Deliver until SIGTERM or SIGINT. Raises what stopped it otherwise."""
    # Thousands of requests in flight are live objects: collecting often costs more than it frees.
    gc.set_threshold(50_000, 50, 100)
    uvloop.run(_run(settings))


async def _run(settings: Settings) -> None:
    sealer = Sealer(settings.required_secret_keys())
    codec = wire.codec(settings)
    topics = kafka_topics.ensure(settings)
    schedule = Schedule(
        tuple((delay, seconds(delay)) for delay in settings.dispatcher_retry_schedule)
    )
    retries = kafka_topics.retry_topics(settings)
    consumer = ConsumerLoop(
        settings,
        settings.topic_prefix + GROUP,
        [topics.dispatch, *retries],
        waiting=retries,
        # They are to be read before they are due.
        wait=min(WAIT, *(delay / 8 for _, delay in schedule.delays)),
    )
    producer = producer_for(settings, GROUP, topics, LINGER)
    loop = asyncio.get_running_loop()
    rules = Rules(pause_after=seconds(settings.dispatcher_pause_after))
    delivery = Delivery(
        loop=loop,
        consumer=consumer,
        ledger=Ledger(consumer, producer, codec, topics),
        transport=transport(settings),
        traffic=Traffic(
            schedule,
            rules,
            settings.dispatcher_in_flight,
            settings.dispatcher_in_flight_per_action,
        ),
        partitions=settings.dispatch_partitions,
    )
    endpoints = EndpointTable(settings, topics.endpoints, codec, delivery)
    reader = FlightReader(codec, settings.google_analytics_url, sealer)
    stage = DispatcherStage(consumer, producer, reader, delivery, endpoints, topics)

    def ready() -> str | None:
        return None if consumer.assigned_once else "no partitions assigned yet"

    health = HealthServer(
        settings.bind,
        settings.dispatcher_metrics_port,
        "PCA_DISPATCHER_METRICS_PORT",
        consumer.stuck,
        ready,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, consumer.stop)
    log.info("dispatcher started", extra={"port": health.port, "kafka": settings.bootstrap})
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="consumer") as thread:
            await loop.run_in_executor(thread, consumer.run, stage)
    finally:
        await delivery.close()
        endpoints.close()
        producer.close(1.0)
        health.close()
        codec.close()
    log.info("dispatcher stopped")

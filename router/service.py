"""The router as a process."""

from __future__ import annotations

import gc
import logging
import signal

from router.configuration import Configuration
from router.stage import RouterStage
from streaming import topics as kafka_topics
from streaming import wire
from streaming.config_table import ConfigTable
from streaming.consumer import ConsumerLoop
from streaming.health import HealthServer
from streaming.producers import producer_for
from streaming.settings import Settings

log = logging.getLogger(__name__)

GROUP = "pca-router"


def run(settings: Settings) -> None:
    """Route calls until SIGTERM or SIGINT. Raises what stopped it otherwise."""
    # By default the collector looks at every few hundred records, and finds nothing.
    gc.set_threshold(50_000, 50, 100)
    codec = wire.codec(settings)
    topics = kafka_topics.ensure(settings)
    loop = ConsumerLoop(settings, settings.topic_prefix + GROUP, [topics.calls])
    producer = producer_for(settings, GROUP, topics)
    configuration = Configuration(codec, topics.all[topics.calls].partitions)
    table = ConfigTable(settings, topics.config, configuration)
    stage = RouterStage(loop, producer, codec, topics, configuration, table)

    def ready() -> str | None:
        if not loop.assigned_once:
            return "no partitions assigned yet"
        loading = sorted(table.loading())
        return f"loading the configuration of partitions {loading}" if loading else None

    health = HealthServer(
        settings.bind, settings.router_metrics_port, "PCA_ROUTER_METRICS_PORT", loop.stuck, ready
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    log.info("router started", extra={"port": health.port, "kafka": settings.bootstrap})
    try:
        loop.run(stage)
    finally:
        table.close()
        producer.close(1.0)
        health.close()
        codec.close()
    log.info("router stopped")

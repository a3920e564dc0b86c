"""The gateway as a process."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from producer.batch import RECORD
from producer.gateway import gateway
from producer.intake import Intake
from producer.watch import Watch
from streaming import topics as kafka_topics
from streaming import wire
from streaming.health import PortTaken
from streaming.producer import Producer
from streaming.settings import Settings

log = logging.getLogger(__name__)

CLIENT = "pca-producer"
PROBE_TIMEOUT = 5.0
FLUSH = 5.0
"""Seconds at the end for what Kafka has not acknowledged yet."""


class Server(uvicorn.Server):
    """uvicorn, ending with exit code 0 when asked to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's own, which would raise the signal again at the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield


def run(settings: Settings) -> None:
    """Take calls until SIGTERM or SIGINT. Raises `PortTaken`, or what stopped it otherwise."""
    listening = _listen(settings.bind, settings.producer_port)
    codec = wire.codec(settings)
    topic = kafka_topics.topics(settings).calls

    def probe() -> None:
        kafka_topics.ensure(settings, PROBE_TIMEOUT)
        codec.header(RECORD, topic)  # asks the registry, if there is one, where it may block

    watch = Watch(probe)
    producer = Producer(_for_producer(settings), CLIENT, settings.producer_timeout)
    failures: list[str] = []

    def stop_for_good() -> None:
        failures.append("the Kafka producer failed fatally")
        server.should_exit = True

    intake = Intake(
        producer, topic, watch, max_queued=settings.producer_max_queued, on_fatal=stop_for_good
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watch.start()
        host, port = listening.getsockname()[:2]
        log.info("gateway started", extra={"url": f"http://{host}:{port}"})
        yield
        watch.close()
        if left := await asyncio.to_thread(producer.close, FLUSH):
            log.warning("stopped before Kafka acknowledged all calls", extra={"calls": left})
        log.info("gateway stopped")

    server = Server(
        uvicorn.Config(
            gateway(settings, intake, watch, codec, topic, lifespan),
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, int(settings.stop_deadline - FLUSH)),
        )
    )
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    server.run(sockets=[listening])
    if failures or not server.started:
        raise RuntimeError("; ".join(failures) or "the gateway did not start")


def _for_producer(settings: Settings) -> Settings:
    """The same with librdkafka's properties as a gateway needs them, where none are set."""
    defaults = {
        # Larger than our own queue, so that it never blocks the event loop.
        "queue.buffering.max.messages": str(max(100_000, 2 * settings.producer_max_queued)),
        # After an outage: back well within the time that a call may wait.
        "reconnect.backoff.max.ms": "1000",
    }
    return settings.model_copy(update={"kafka": defaults | settings.kafka})


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise PortTaken(
            f"{host}:{port} cannot be listened on: {error.strerror}; another port is set with"
            " PCA_PRODUCER_PORT"
        ) from error

"""The console as a process: API and outbox publisher on one event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
import uvloop
from fastapi import FastAPI

from console.api import console_app
from console.database import DATABASE_AWAY, Database
from console.outbox import Publisher
from schemas.sealing import Sealer
from streaming import logs
from streaming.producer import Producer
from streaming.settings import Settings, SettingsError, load
from streaming.topics import ensure, topics
from streaming.wire import codec

log = logging.getLogger(__name__)

KAFKA_SECONDS = 5.0
"""How long one look for Kafka may take; the next follows soon."""


class CannotStart(Exception):
    """One line for people."""


def publisher(settings: Settings, database: Database) -> Publisher:
    """The outbox publisher on real Kafka."""
    return Publisher(
        database,
        codec(settings),
        topics(settings).config,
        settings.calls_partitions,
        sender=lambda: Producer(settings, "pca-console"),
        prepare=lambda: ensure(settings, KAFKA_SECONDS),
    )


@asynccontextmanager
async def publishing(
    outbox: Publisher, stop_seconds: float, on_fault: Callable[[BaseException], None]
) -> AsyncIterator[None]:
    """Publish inside the block. A publisher that ends by itself ends the process (SIGTERM)."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()):
            # Half a console would save changes that never take effect; a new start may mend it.
            log.critical("outbox publisher failed", exc_info=fault)
            on_fault(fault)
            os.kill(os.getpid(), signal.SIGTERM)

    task = asyncio.create_task(outbox.run(), name="outbox")
    task.add_done_callback(ended)
    try:
        yield
    finally:
        outbox.stop()
        _, running = await asyncio.wait([task], timeout=stop_seconds)
        if running:
            log.warning("outbox not empty at the end; its rows wait for the next start")
            task.cancel()
            await asyncio.wait([task])


async def serve(settings: Settings, listener: socket.socket, stop: threading.Event) -> bool:
    """Migrate, then serve until `stop` (before the start) or a signal; whether all went well.

    Raises `CannotStart`.
    """
    database = Database(settings.sqlalchemy_url, Sealer(settings.required_secret_keys()))
    try:
        await database.migrate()
    except DATABASE_AWAY as error:
        await database.close()
        shown = database.url.render_as_string(hide_password=True)
        reason = str(error).partition("\n")[0]
        raise CannotStart(f"the database {shown} cannot be used: {reason}") from error
    outbox = publisher(settings, database)
    failed: list[BaseException] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with publishing(outbox, settings.stop_deadline / 4, failed.append):
            yield

    server = uvicorn.Server(
        uvicorn.Config(
            console_app(settings, database, ready=lambda: outbox.trouble, lifespan=lifespan),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(settings.stop_deadline / 2),
        )
    )
    log.info("console listens", extra={"port": listener.getsockname()[1]})
    try:
        if not stop.is_set():
            await server.serve(sockets=[listener])
    finally:
        await database.close()
    return not failed


def listen(settings: Settings) -> socket.socket:
    """The listening socket. Raises `CannotStart` when the port is in use."""
    family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
    try:
        return socket.create_server((settings.bind, settings.console_port), family=family)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {settings.bind}:{settings.console_port}:"
            f" {os.strerror(error.errno or 0)} (PCA_CONSOLE_PORT chooses another port)"
        ) from error


def main() -> int:
    """Run the service; the exit code."""
    stop = threading.Event()
    # uvicorn has handlers of its own while it serves; afterwards it raises the signal once more,
    # for those that were there before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load()
        logs.to_stderr("console", settings.log_level)
        went_well = uvloop.run(serve(settings, listen(settings), stop))
    except (CannotStart, SettingsError) as error:
        print(f"console: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1
    return 0 if went_well else 1

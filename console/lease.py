"""Which of several consoles publishes: the one that holds the lease, so that the order holds."""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from console.database import Database

PUBLISHER_LOCK = 0x706361_02
"""PostgreSQL advisory lock: its holder publishes the outbox."""


@asynccontextmanager
async def lease(database: Database) -> AsyncIterator[AsyncConnection | None]:
    """A connection that works only while the lease is held; None when another console holds it.

    The lease ends with the block, the connection or the process, whichever is first.
    """
    holder = _file_lease(database) if database.is_sqlite else _advisory_lease(database)
    async with holder as connection:
        yield connection


@asynccontextmanager
async def _advisory_lease(database: Database) -> AsyncIterator[AsyncConnection | None]:
    async with database.engine.connect() as connection:
        held = await connection.scalar(text(f"SELECT pg_try_advisory_lock({PUBLISHER_LOCK})"))
        await connection.commit()
        if not held:
            yield None
            return
        try:
            yield connection
        finally:
            # The lock belongs to the session: back in the pool the connection would keep it.
            await connection.invalidate()


@asynccontextmanager
async def _file_lease(database: Database) -> AsyncIterator[AsyncConnection | None]:
    """Consoles on one SQLite file share a machine, hence a lock on a file beside it."""
    path = database.file.with_name(database.file.name + ".publisher")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        async with database.engine.connect() as connection:
            yield connection

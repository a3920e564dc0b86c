"""The console's database: SQLite in a file, or PostgreSQL; its transactions and migrations."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, nullcontext
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from schemas.sealing import Sealer
from streaming.settings import SettingsError

MIGRATION_LOCK = 0x706361_01
"""PostgreSQL advisory lock: one console migrates, the others wait for it."""
SQLITE_BUSY_SECONDS = 30

# asyncpg's own errors come through bare while a connection is being made.
DATABASE_AWAY = (SQLAlchemyError, asyncpg.PostgresError, OSError)
"""What a database that does not answer, or refuses, makes a transaction raise."""

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


def database_url(given: str) -> URL:
    """The URL with its asynchronous driver. Raises `SettingsError`, which shows no password."""
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise SettingsError(
            "PCA_DATABASE_URL: is no database URL; write postgresql://USER:PASSWORD@HOST/DATABASE"
        ) from error
    driver = _DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise SettingsError(
            f"PCA_DATABASE_URL: {url.drivername} is not supported; use sqlite or postgresql"
        )
    return url.set(drivername=driver)


class Database:
    """Short transactions, each begun for reading or for writing. Used in one event loop."""

    def __init__(self, url: str, sealer: Sealer) -> None:
        """Opens nothing yet. Raises `SettingsError` for a URL that cannot be used.

        `sealer` seals the secrets of actions on their way in, and opens them on their way out.
        """
        self.url = database_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.committed = asyncio.Event()
        """Set after every writing transaction in this process; the outbox publisher clears it."""
        if self.is_sqlite:
            # The file holds secrets; SQLite gives its neighbours (-wal, -shm) the same mode.
            self.file.parent.mkdir(parents=True, exist_ok=True)
            if not self.file.exists():
                self.file.touch(mode=0o600)
            self.engine = create_async_engine(self.url)
            _prepare_sqlite(self.engine.sync_engine)
        else:
            self.engine = create_async_engine(self.url, pool_pre_ping=True)
        self._sessions = async_sessionmaker(
            self.engine, expire_on_commit=False, info={"sealer": sealer}
        )
        # SQLite lets writers in one by one and makes the others poll for it; queueing is quicker.
        self._one_writer: Any = asyncio.Lock() if self.is_sqlite else nullcontext()

    @property
    def file(self) -> Path:
        """The SQLite file."""
        assert self.url.database is not None
        return Path(self.url.database)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one state of the database however many queries it makes."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        async with self._sessions() as session:
            await session.connection(execution_options=options)
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session whose changes are committed at the end, or all undone by an exception."""
        async with self._one_writer, self._sessions() as session:
            await session.connection(execution_options={"writing": True})
            yield session
            await session.commit()
        self.committed.set()

    async def migrate(self, target: str = "head") -> None:
        """Bring the tables to `target`: a revision, `head`, or `base` for none at all.

        Any number of consoles may do so at once.
        """
        if self.is_sqlite:
            await asyncio.to_thread(_keep_a_write_ahead_log, self.file)
        async with self.writing() as session:
            if not self.is_sqlite:
                await session.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            connection = await session.connection()
            await connection.run_sync(_migrate, target)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def sealer_of(session: AsyncSession) -> Sealer:
    """The one of the session's database."""
    sealer: Sealer = session.info["sealer"]
    return sealer


def _prepare_sqlite(engine: Any) -> None:
    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: Any, _: Any) -> None:
        # The driver begins no transactions of its own accord; `begin` below does.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        # FULL: what the API answered is on the disk, also after a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # What is replaced or deleted is overwritten: a secret from before it was sealed must go.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_SECONDS * 1000}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later cannot wait for another writer; one that
        # is begun as a writer can.
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _keep_a_write_ahead_log(file: Path) -> None:
    """Let readers go on while one writes; the file remembers it.

    SQLite does not wait for others in this step, so two consoles that start must take turns.
    """
    # Beside it: closing a descriptor of the file itself would undo SQLite's own locks.
    with file.with_name(file.name + ".start").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with closing(sqlite3.connect(file, timeout=SQLITE_BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")


def _migrate(connection: Connection, target: str) -> None:
    config = alembic_config(connection)
    if target == "base":
        command.downgrade(config, target)
    else:
        command.upgrade(config, target)


def alembic_config(connection: Connection) -> Config:
    """Alembic on that connection, with the migrations of this package."""
    config = Config()
    scripts = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", scripts.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config

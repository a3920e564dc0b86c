"""A console on a database of its own, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from functools import cache
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from console.api import console_app
from console.database import Database
from console.outbox import Publisher
from console.tables import Base
from schemas.codec import Codec
from schemas.sealing import Sealer, new_key
from streaming.settings import Settings

KEY = "the-admin-key"


def missing(service: str):
    """A missing service skips a test on a laptop and fails it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{service} is missing")
    pytest.skip(f"{service} is not installed")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _postgres_tool(name: str) -> str | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
    return shutil.which(name, path=path)


@pytest.fixture(scope="session")
def postgres():
    """The URL of a private PostgreSQL, without the database's name."""
    initdb, pg_ctl = _postgres_tool("initdb"), _postgres_tool("pg_ctl")
    if not initdb or not pg_ctl:
        missing("PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="pca-pg-"))
    as_user = []
    if os.getuid() == 0:  # which PostgreSQL refuses to run as
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    data, port = folder / "data", free_port()
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c max_connections=200"

    def run(*command):
        subprocess.run(
            [*as_user, *map(str, command)], check=True, cwd=folder, stdout=subprocess.DEVNULL
        )

    run(initdb, "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
    run(pg_ctl, "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    yield f"postgresql://postgres@127.0.0.1:{port}"
    run(pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request):
    """Which database a test runs on; override with indirect parametrisation."""
    return request.param


@pytest_asyncio.fixture
async def url(backend, tmp_path, request):
    """An empty database."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path}/console.db"
        return
    server = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(server + "/postgres")
    await admin.execute(f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture(scope="session")
def migrated(request, tmp_path_factory):
    """For each database: one with tables, made when first asked for."""

    @cache
    def make(backend):
        if backend == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('migrated')}/console.db"
        else:
            server = request.getfixturevalue("postgres")
            url = f"{server}/migrated"
            asyncio.run(_execute(server + "/postgres", "CREATE DATABASE migrated"))
        asyncio.run(_migrate(url))
        return url

    return make


async def _execute(url, *statements):
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def _migrate(url):
    database = Database(url, Sealer(()))
    await database.migrate()
    await database.close()


@pytest.fixture
def store_url(backend, migrated, tmp_path):
    """A database with tables and nothing in them."""
    source = migrated(backend)
    if backend == "sqlite":
        shutil.copy(source.removeprefix("sqlite:///"), tmp_path / "console.db")
        return f"sqlite:///{tmp_path}/console.db"
    tables = ", ".join(Base.metadata.tables)
    asyncio.run(_execute(source, f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return source


@pytest_asyncio.fixture
async def database(store_url):
    """A migrated database."""
    database = Database(store_url, Sealer([new_key()]))
    yield database
    await database.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(
        data_dir=tmp_path,
        admin_key=KEY,
        replication_factor=1,
        calls_partitions=3,
        dispatch_partitions=2,
        topic_prefix=f"t{uuid.uuid4().hex[:8]}.",
        kafka={"bootstrap.servers": "127.0.0.1:1"},
    )


@pytest_asyncio.fixture
async def api(database, settings):
    """A client of the console's API, signed in."""
    app = console_app(settings, database, ready=lambda: None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://console",
        headers={"Authorization": f"Bearer {KEY}"},
    ) as client:
        client.app = app
        yield client


class FakeSender:
    """Kafka as a list; `fail` refuses, `hold` keeps acknowledgements back."""

    def __init__(self) -> None:
        self.records = []
        self.held = []
        self.fail = None
        self.hold = False
        self.closed = 0

    def send(self, topic, key, value, acks, *, partition=-1, headers=None):
        if self.fail is None:
            self.records.append((topic, key, value, partition, headers))
        if self.hold:
            self.held.append(acks.reports)
        elif self.fail is not None:
            acks.reports(self.fail, None)

    def release(self):
        self.hold = False
        self.held.clear()

    def close(self, timeout):
        self.closed += 1
        return 0


@pytest.fixture
def sender():
    return FakeSender()


@pytest.fixture
def publisher(database, sender):
    return Publisher(database, Codec(), "t.config", 3, sender=lambda: sender, prepare=lambda: None)

"""The tables are what the migrations make."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from console.database import Database
from console.tables import Base
from schemas.sealing import Sealer


async def tables_of(database):
    async with database.reading() as session:
        connection = await session.connection()
        return set(await connection.run_sync(lambda c: inspect(c).get_table_names()))


async def test_migrations_and_tables_agree(database):
    async with database.reading() as session:
        connection = await session.connection()
        differences = await connection.run_sync(
            lambda c: compare_metadata(
                MigrationContext.configure(c, opts={"compare_server_default": False}), Base.metadata
            )
        )
    assert differences == []


async def test_every_step_goes_down_and_up_again(url):
    database = Database(url, Sealer(()))
    await database.migrate()
    await database.migrate("base")
    assert await tables_of(database) == {"alembic_version"}
    await database.migrate()
    assert await tables_of(database) == {"alembic_version", *Base.metadata.tables}
    await database.close()


async def test_several_consoles_may_migrate_at_once(url):
    databases = [Database(url, Sealer(())) for _ in range(4)]
    await asyncio.gather(*(database.migrate() for database in databases))
    assert await tables_of(databases[0]) == {"alembic_version", *Base.metadata.tables}
    for database in databases:
        await database.close()

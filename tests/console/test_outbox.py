"""The outbox: everything saved is published, in order, and deleted only after."""

import asyncio
import json
from contextlib import asynccontextmanager

import asyncpg
import pytest
from confluent_kafka import KafkaError
from sqlalchemy import func, select

from console import outbox as outbox_module
from console.database import Database
from console.outbox import Publisher
from console.store import operations
from console.store.changes import Change, lock
from console.store.changes import save as save_changes
from console.store.entities import account_settings, routing_settings
from console.tables import OutboxRow
from schemas.codec import Codec, RegistryUnavailable
from schemas.configuration import Account, Routing
from schemas.sealing import Sealer
from streaming.metrics import OUTBOX_WAITING
from streaming.partitions import partition_of
from streaming.topics import TopicError

ACME = ("account", "acme")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Retries and looks for other consoles' changes come at once."""
    monkeypatch.setattr(outbox_module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(outbox_module, "POLL_SECONDS", 0.05)


@asynccontextmanager
async def running(publisher):
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        publisher.stop()
        async with asyncio.timeout(10):
            await task


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # whatever it is, it sets no event
            await asyncio.sleep(0.005)


async def waiting(database):
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(OutboxRow))


async def until_empty(database):
    async with asyncio.timeout(10):
        while await waiting(database):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.005)


async def save(database, *names):
    for name in names:
        await operations.put(database, "acme", ACME, account_settings(Account(name=name)))


def names(sender):
    return [Codec().decode(value, "Account")["name"] for _, _, value, _, _ in sender.records]


async def test_a_record_has_its_key_partition_and_version(database, sender, publisher):
    await save(database, "Acme")
    async with running(publisher):
        await until_empty(database)
    topic, key, _, partition, headers = sender.records[0]
    assert (topic, key) == ("t.config", b"acme/account/acme")
    assert partition == partition_of("acme", 3)
    assert headers == [("version", b"1")]


async def test_changes_are_published_in_the_order_in_which_they_were_saved(
    database, sender, publisher
):
    async with running(publisher):
        await save(database, *(str(n) for n in range(30)))
        await until_empty(database)
    assert names(sender) == [str(n) for n in range(30)]


async def test_a_deletion_is_a_tombstone(database, sender, publisher):
    await save(database, "Acme")
    await operations.delete_one(database, "acme", ACME)
    async with running(publisher):
        await until_empty(database)
    assert sender.records[1][1:3] == (b"acme/account/acme", None)
    assert sender.records[1][4] == [("version", b"2")]


async def test_rows_stay_until_the_broker_has_them(database, sender, publisher):
    sender.hold = True
    async with running(publisher):
        await save(database, "Acme")
        await until(lambda: sender.held)
        assert await waiting(database) == 1
        sender.release()
        await until_empty(database)


async def test_what_is_refused_is_sent_again_by_a_new_sender(database, sender, publisher):
    sender.fail = KafkaError(KafkaError._MSG_TIMED_OUT)
    async with running(publisher):
        await save(database, "First", "Second")
        await until(lambda: sender.closed > 1)
        assert await waiting(database) == 2
        sender.fail = None
        await until_empty(database)
    assert names(sender) == ["First", "Second"]


async def test_while_kafka_is_away_the_gauge_counts_and_nothing_is_lost(database, sender):
    away = True

    def prepare():
        if away:
            raise TopicError("Kafka is away")

    publisher = Publisher(database, Codec(), "t.config", 3, sender=lambda: sender, prepare=prepare)
    async with running(publisher):
        await save(database, "First", "Second")
        await until(lambda: OUTBOX_WAITING._value.get() == 2)
        assert (sender.records, publisher.trouble) == ([], None)
        away = False
        await until_empty(database)
    await until(lambda: OUTBOX_WAITING._value.get() == 0)
    assert names(sender) == ["First", "Second"]


async def test_a_registry_that_is_away_is_waited_for(database, sender):
    class Registry:
        away = True

        def writer(self, schema_id):
            raise AssertionError

        def register(self, subject, schema):
            if self.away:
                raise RegistryUnavailable
            return 7

    registry = Registry()
    publisher = Publisher(
        database, Codec(registry, write_confluent=True), "t.config", 3,
        sender=lambda: sender, prepare=lambda: None,
    )  # fmt: skip
    async with running(publisher):
        await save(database, "Acme")
        await until(lambda: sender.closed > 1)
        registry.away = False
        await until_empty(database)
    assert sender.records[0][2].startswith(b"\0\0\0\0\7")


async def test_a_switch_of_the_wire_format_does_not_matter_to_rows_that_wait(database, sender):
    await save(database, "Acme")
    async with database.reading() as session:
        value = await session.scalar(select(OutboxRow.value))
    assert json.loads(value)["name"] == "Acme"


async def test_a_change_is_published_at_once(database, sender, publisher, monkeypatch):
    monkeypatch.setattr(outbox_module, "POLL_SECONDS", 60)
    async with running(publisher):
        await until(lambda: publisher.trouble is None)
        loop = asyncio.get_running_loop()
        start = loop.time()
        await save(database, "Acme")
        await until(lambda: sender.records)
        assert loop.time() - start < 3, "not by the next look, which is a minute away"


async def test_only_one_console_publishes_and_another_takes_over(database, store_url, sender):
    """Also changes that the other console saved: the one that publishes looks for them."""
    databases = [database, Database(store_url, Sealer(()))]
    publishers = [
        Publisher(each, Codec(), "t.config", 3, sender=lambda: sender, prepare=lambda: None)
        for each in databases
    ]
    async with running(publishers[1]):
        async with running(publishers[0]):
            await until(lambda: all(p.trouble is None for p in publishers))
            await asyncio.gather(
                *(save(each, f"{n}") for each in databases for n in range(10)),
            )
            await until_empty(database)
        versions = [int(headers[0][1]) for *_, headers in sender.records]
        assert versions == sorted(set(versions))
        await save(databases[0], "after the first has stopped")
        await until_empty(database)
    assert names(sender)[-1] == "after the first has stopped"
    await databases[1].close()


async def test_more_than_a_batch_is_published(database, sender, publisher):
    rows = [
        Change("acme", ("number", f"+1800{n:07}"), None, routing_settings(Routing()))
        for n in range(12_000)
    ]
    await save(database, "Acme")
    async with database.writing() as session:
        await lock(session, "acme")
        await save_changes(session, "acme", rows)
    async with running(publisher):
        await until_empty(database)
    assert len(sender.records) == 12_002


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_a_database_that_broke_off_is_taken_up_again(database, sender, publisher):
    """The lease ends with its connection, and is taken anew."""
    async with running(publisher):
        await save(database, "First")
        await until_empty(database)
        other = await asyncpg.connect(database.url.set(drivername="postgresql").render_as_string())
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await other.close()
        await save(database, "Second")
        await until_empty(database)
    assert names(sender) == ["First", "Second"]


async def test_while_the_database_is_away_the_reason_is_told(sender):
    nowhere = Database("postgresql://u:very-secret@127.0.0.1:1/d", Sealer(()))
    publisher = Publisher(
        nowhere, Codec(), "t.config", 3, sender=lambda: sender, prepare=lambda: None
    )
    async with running(publisher):
        await until(lambda: "does not answer" in (publisher.trouble or ""))
    assert "very-secret" not in publisher.trouble
    await nowhere.close()

"""Secrets at rest: sealed in every table and on the topic, opened for whoever has the key."""

import json
import logging

import pytest
import pytest_asyncio
from refused import analytics, call_detail
from sqlalchemy import select, update

from console.database import Database
from console.republish import republish
from console.store import operations
from console.store.documents import export
from console.store.entities import account_settings, action_settings
from console.store.state import find, load
from console.tables import ActionRow, OutboxRow
from deploy.certificates import Issued
from schemas.configuration import Account, Action
from schemas.sealing import Sealer, new_key, unopened
from streaming.problems import Problem
from streaming.settings import Settings

ACME, CRM, GA = ("account", "acme"), ("action", "crm"), ("action", "ga")
CLIENT = Issued("client", None, hosts=["client.example"])
SHARED = "whsec_" + "CANARY00" * 4
SECRETS = [SHARED, "canary-user", "canary-password", "canary-header", "canary-api",
           CLIENT.key_pem.splitlines()[1]]  # fmt: skip
SIGNED = call_detail(
    target_url="https://canary-user:canary-password@example.com/h",
    headers=[{"name": "X-Api-Key", "value": "canary-header"}],
    signing_secrets=[SHARED],
    tls={"client_certificate": CLIENT.pem, "client_key": CLIENT.key_pem},
)
COUNTED = analytics(api_secret="canary-api")


def settings_of(fields):
    return action_settings(Action.model_validate(fields))


async def filled(database):
    await operations.put(database, "acme", ACME, account_settings(Account(name="Acme")))
    await operations.put(database, "acme", CRM, settings_of(SIGNED))
    await operations.put(database, "acme", GA, settings_of(COUNTED))
    return database


@pytest_asyncio.fixture
async def keyed(store_url):
    """`keyed(key, …)`: the same database under other keys."""
    opened = []

    def build(*keys):
        opened.append(Database(store_url, Sealer(keys)))
        return opened[-1]

    yield build
    for database in opened:
        await database.close()


async def raw(database):
    """Everything that the tables hold of actions, as text; and the outbox's latest of each key."""
    async with database.reading() as session:
        bodies = dict((await session.execute(select(ActionRow.id, ActionRow.body))).all())
        rows = await session.scalars(select(OutboxRow).order_by(OutboxRow.sequence))
        sent = {row.key.decode(): row.value.decode() for row in rows if row.value}
    return {id_: json.dumps(body) for id_, body in bodies.items()}, sent


def found_in(text):
    return [secret for secret in SECRETS if secret in text]


async def test_neither_rows_nor_outbox_hold_a_secret(database):
    bodies, sent = await raw(await filled(database))
    assert found_in(str(bodies) + str(sent)) == []
    assert bodies["crm"].count("sealed.") == sent["acme/action/crm"].count("sealed.") == 4
    assert bodies["ga"].count("sealed.") == sent["acme/action/ga"].count("sealed.") == 1


async def test_what_is_read_is_in_the_clear(database):
    await filled(database)
    async with database.reading() as session:
        state = await load(session, "acme")
        assert state[CRM] == await find(session, "acme", CRM)
    assert state[CRM].settings == settings_of(SIGNED)
    assert state[GA].settings == settings_of(COUNTED)


async def test_the_same_settings_again_are_no_change(database):
    await filled(database)
    again, _ = await operations.put(database, "acme", CRM, settings_of(SIGNED))
    assert again.version == 2


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_the_file_holds_no_secret(database):
    await filled(database)
    files = list(database.file.parent.glob("console.db*"))
    assert len(files) >= 2
    assert found_in("".join(file.read_bytes().decode("latin-1") for file in files)) == []


async def make_plain(database):
    """As rows were before secrets were sealed."""
    await filled(database)
    async with database.writing() as session:
        for key, fields in ((CRM, SIGNED), (GA, COUNTED)):
            body = settings_of(fields)
            where = ActionRow.id == key[1]
            await session.execute(update(ActionRow).where(where).values(body=body))


async def test_what_was_stored_before_is_read_as_it_is(database):
    await make_plain(database)
    async with database.reading() as session:
        assert (await find(session, "acme", CRM)).settings == settings_of(SIGNED)
    assert (await operations.put(database, "acme", CRM, settings_of(SIGNED)))[0].version == 2


@pytest.fixture
def no_kafka(monkeypatch):
    monkeypatch.setattr("console.republish.ensure", lambda *_: None)
    monkeypatch.setattr("console.republish.live_keys", lambda _: {})
    return Settings(kafka={"bootstrap.servers": "127.0.0.1:1"}, admin_key="k")


async def test_republishing_seals_what_is_plain_and_changes_no_version(database, no_kafka):
    await make_plain(database)
    bodies, _ = await raw(database)
    assert found_in(str(bodies)) == SECRETS
    assert (await republish(database, no_kafka))["sealed"] == 0
    assert found_in(str(await raw(database))) == []
    async with database.reading() as session:
        state = await load(session, "acme")
    assert state[CRM].settings == settings_of(SIGNED)
    assert (state[CRM].version, state[GA].version) == (2, 3)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_what_was_plain_leaves_nothing_in_the_file(database, no_kafka):
    await make_plain(database)
    await republish(database, no_kafka)
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert found_in(database.file.read_bytes().decode("latin-1")) == []


async def test_republishing_seals_under_the_newest_key(keyed, no_kafka):
    old, new = new_key(), new_key()
    await filled(keyed(old))
    await republish(keyed(new, old), no_kafka)
    both = keyed(new)
    async with both.reading() as session:
        assert (await find(session, "acme", CRM)).settings == settings_of(SIGNED)
    _, sent = await raw(both)
    record = Sealer([new]).opened(json.loads(sent["acme/action/crm"]))
    assert record["signing_secrets"] == [SHARED]


# Without the key.


async def test_without_the_key_what_is_sealed_stays_and_what_is_not_can_be_changed(keyed):
    old, new = new_key(), new_key()
    await filled(keyed(old))
    database = keyed(new)
    async with database.reading() as session:
        stored = (await find(session, "acme", CRM)).settings
    assert unopened(stored) == ["target_url", "headers[0].value", "signing_secrets[0]",
                                "tls.client_key"]  # fmt: skip
    masked = settings_of(
        SIGNED
        | {
            "name": "Renamed",
            "target_url": "https://***@example.com/elsewhere",
            "headers": [{"name": "X-Api-Key", "value": "***"}],
            "signing_secrets": ["***"],
            "tls": SIGNED["tls"] | {"client_key": "***"},
        }
    )
    await operations.put(database, "acme", CRM, masked)
    async with keyed(old).reading() as session:
        kept = (await find(session, "acme", CRM)).settings
    moved = SIGNED | {"name": "Renamed", "target_url":
                      "https://canary-user:canary-password@example.com/elsewhere"}  # fmt: skip
    assert kept == settings_of(moved)


async def test_without_the_key_an_action_can_be_given_other_secrets_or_deleted(keyed):
    await filled(keyed(new_key()))
    database = keyed(new_key())
    fresh = settings_of(call_detail(signing_secrets=[SHARED]))
    await operations.put(database, "acme", CRM, fresh)
    await operations.delete_one(database, "acme", GA)
    async with database.reading() as session:
        state = await load(session, "acme")
    assert state[CRM].settings == fresh
    assert GA not in state


async def test_republishing_without_the_key_names_the_action_and_keeps_it(keyed, no_kafka, caplog):
    old = new_key()
    await filled(keyed(old))
    with caplog.at_level(logging.ERROR, "console.republish"):
        counts = await republish(keyed(new_key()), no_kafka)
    assert counts["sealed"] == 2
    told = {(one.action, tuple(one.fields)) for one in caplog.records}
    assert ("ga", ("google_analytics.api_secret",)) in told
    _, sent = await raw(keyed(old))
    assert Sealer([old]).opened(json.loads(sent["acme/action/crm"]))["signing_secrets"] == [SHARED]


async def test_a_backup_that_would_miss_a_secret_is_refused_and_names_it(keyed):
    await filled(keyed(new_key()))
    database = keyed(new_key())
    with pytest.raises(Problem) as refused:
        await export(database, [], secrets=True)
    assert refused.value.status == 409
    assert "signing_secrets[0] of action acme/crm" in refused.value.detail
    assert "PCA_SECRET_KEYS" in refused.value.detail
    assert "sealed." not in json.dumps(await export(database, []))


# Tried out.


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_test_send_without_the_key_says_so_and_sends_nothing(api, keyed, backend):
    await filled(keyed(new_key()))
    said = (await api.post("/v1/accounts/acme/actions/crm/test")).json()
    assert (said["request"], said["status"], said["error"]) == (None, None, "sealed")
    assert "signing_secrets[0]" in said["detail"]
    assert "PCA_SECRET_KEYS" in said["detail"]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_preview_shows_the_signature_or_says_that_it_cannot(api, backend):
    signed = (await api.post("/v1/preview", json={"action": SIGNED})).json()
    assert signed["request"]["headers"]["webhook-signature"].startswith("v1,")
    assert signed["warnings"] == []
    masked = SIGNED | {"signing_secrets": ["***"]}
    shown = (await api.post("/v1/preview", json={"action": masked})).json()
    assert "webhook-signature" not in shown["request"]["headers"]
    assert "signing_secrets are masked" in shown["warnings"][0]

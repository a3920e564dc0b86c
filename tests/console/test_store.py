"""The store on both databases: versions, the outbox, and what is refused."""

import asyncio
import json

import pytest
from sqlalchemy import select

from console.store import operations
from console.store.changes import Change, lock, save
from console.store.documents import apply, export, plan
from console.store.entities import (
    account_settings,
    action_settings,
    avro_record,
    routing_settings,
)
from console.store.state import find, load
from console.tables import OutboxRow
from schemas.configuration import Account, Action, Document, Routing, account_to_avro
from schemas.released import current
from streaming.problems import Problem

ACME = ("account", "acme")
CRM = ("action", "crm")
NUMBER = ("number", "+18005550100")


def account(name="Acme"):
    return account_settings(Account(name=name))


def action(**fields):
    given = {"name": "CRM", "scope": "all_calls", "target_url": "https://example.com/h"} | fields
    return action_settings(Action(**given))


def routing(**fields):
    return routing_settings(Routing(**fields))


def document(*accounts):
    return Document.model_validate_json(json.dumps({"accounts": accounts}))


async def outbox(database):
    """What waits: (key, value, version)."""
    async with database.reading() as session:
        rows = await session.scalars(select(OutboxRow).order_by(OutboxRow.sequence))
        return [
            (row.key.decode(), row.value and json.loads(row.value), row.version) for row in rows
        ]


async def acme(database):
    """An account with an action that a number names: version 3."""
    await operations.put(database, "acme", ACME, account())
    await operations.put(database, "acme", CRM, action())
    await operations.put(database, "acme", NUMBER, routing(send="specific", action_id="crm"))


async def test_each_change_is_published_with_its_account_under_the_next_version(database):
    """D9: the account's record says which version of the configuration is in force."""
    await acme(database)
    assert [(key, version) for key, _, version in await outbox(database)] == [
        ("acme/account/acme", 1),
        ("acme/action/crm", 2),
        ("acme/account/acme", 2),
        ("acme/number/+18005550100", 3),
        ("acme/account/acme", 3),
    ]


async def test_a_record_in_the_outbox_carries_its_version(database):
    await acme(database)
    values = [value for _, value, _ in await outbox(database)]
    # A number has none of its own: there are millions. The Account record behind it tells.
    assert [value.get("version") for value in values] == [1, 2, 2, None, 3]


async def test_saving_what_is_stored_already_changes_nothing(database):
    await acme(database)
    entity, created = await operations.put(database, "acme", CRM, action())
    assert (entity.version, created, len(await outbox(database))) == (2, False, 5)


async def test_nothing_belongs_to_an_account_that_does_not_exist(database):
    with pytest.raises(Problem) as refused:
        await operations.put(database, "nobody", CRM, action())
    assert refused.value.status == 404
    assert await outbox(database) == []


async def test_a_failed_change_leaves_no_trace(database):
    await acme(database)

    async def fail_after_saving():
        async with database.writing() as session:
            await lock(session, "acme")
            await save(session, "acme", [Change("acme", ("pool", "p"), None, {"send": "none"})])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_saving()
    assert len(await outbox(database)) == 5
    async with database.reading() as session:
        assert await find(session, "acme", ("pool", "p")) is None


async def test_deleting_an_account_writes_tombstones_for_everything_in_it(database):
    await acme(database)
    await operations.delete_one(database, "acme", ACME)
    assert (await outbox(database))[5:] == [
        ("acme/account/acme", None, 4),
        ("acme/number/+18005550100", None, 4),
        ("acme/action/crm", None, 4),
    ]
    async with database.reading() as session:
        assert await load(session, "acme") == {}


async def test_an_account_created_anew_continues_above_its_old_versions(database):
    await acme(database)
    await operations.delete_one(database, "acme", ACME)
    entity, created = await operations.put(database, "acme", ACME, account("Again"))
    assert (entity.version, created) == (5, True)


async def test_a_specific_action_must_exist(database):
    await acme(database)
    with pytest.raises(Problem) as refused:
        await operations.put(database, "acme", NUMBER, routing(send="specific", action_id="no"))
    assert refused.value.status == 422
    assert refused.value.extra["errors"][0]["path"] == "action_id"


async def test_an_action_that_a_number_names_is_not_deleted(database):
    await acme(database)
    for index in range(11):
        key = ("pool", f"p-{index:02}")
        await operations.put(database, "acme", key, routing(send="specific", action_id="crm"))
    with pytest.raises(Problem) as refused:
        await operations.delete_one(database, "acme", CRM)
    assert refused.value.status == 409
    assert refused.value.extra["count"] == 12
    assert refused.value.extra["named_by"][0] == {"kind": "number", "id": "+18005550100"}
    assert len(refused.value.extra["named_by"]) == 10


async def test_d3_forced_deletion_leaves_the_number_specific(database):
    """D3: nothing runs then, and there is no fallback, so the number keeps its setting."""
    await acme(database)
    await operations.delete_one(database, "acme", CRM, force=True)
    async with database.reading() as session:
        number = await find(session, "acme", NUMBER)
        assert number.settings == {"send": "specific", "action_id": "crm"}
    assert (await outbox(database))[5] == ("acme/action/crm", None, 4)


async def test_what_was_exported_can_be_applied_though_a_specific_action_is_gone(database):
    await acme(database)
    await operations.delete_one(database, "acme", CRM, force=True)
    exported = document(*(await export(database, []))["accounts"])
    assert (await plan(database, exported)).changes == []


async def test_a_number_cannot_be_pointed_at_an_action_that_is_gone(database):
    await acme(database)
    await operations.delete_one(database, "acme", CRM, force=True)
    wanted = (await export(database, []))["accounts"][0]
    wanted["numbers"]["+18005550101"] = {"send": "specific", "action_id": "crm"}
    with pytest.raises(Problem) as refused:
        await apply(database, document(wanted))
    assert [fault["path"] for fault in refused.value.extra["errors"]] == [
        "accounts[0].numbers.+18005550101.action_id"
    ]


async def test_an_outdated_version_is_refused_with_the_current_one(database):
    await acme(database)
    with pytest.raises(Problem) as refused:
        await operations.put(database, "acme", CRM, action(name="New"), if_version=1)
    assert (refused.value.status, refused.value.extra["version"]) == (412, 2)


async def test_of_two_writers_with_one_version_one_wins(database):
    await acme(database)
    results = await asyncio.gather(
        *(
            operations.put(database, "acme", CRM, action(name=name), if_version=2)
            for name in ("First", "Second")
        ),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Problem", "tuple"]


async def test_concurrent_changes_have_distinct_versions_and_lie_in_order(database):
    await operations.put(database, "acme", ACME, account())
    saved = await asyncio.gather(
        *(
            operations.put(database, "acme", ("pool", f"p-{index}"), routing(send="none"))
            for index in range(50)
        )
    )
    assert sorted(entity.version for entity, _ in saved) == list(range(2, 52))
    versions = [version for _, _, version in await outbox(database)]
    assert list(dict.fromkeys(versions)) == list(range(1, 52))
    assert versions == sorted(versions)


async def test_apply_is_one_version_of_each_account(database):
    await acme(database)
    outcome = await apply(
        database,
        document(
            {
                "id": "acme",
                "name": "Acme",
                "actions": [{"id": "new", **action()}],
                "numbers": {"(800) 555-0100": {"send": "specific", "action_id": "new"}},
            },
            {"id": "other", "name": "Other"},
        ),
    )
    assert outcome.shown()["counts"] == {
        "created": 2, "updated": 1, "deleted": 1, "unchanged": 1,
    }  # fmt: skip
    assert [(key, value is None, version) for key, value, version in (await outbox(database))[5:]] \
        == [
            ("acme/action/new", False, 4),
            ("acme/number/+18005550100", False, 4),
            ("acme/action/crm", True, 4),
            ("acme/account/acme", False, 4),
            ("other/account/other", False, 1),
        ]  # fmt: skip


async def test_plan_says_what_apply_does_and_does_nothing(database):
    await acme(database)
    wanted = document({"id": "acme", "name": "New name"})
    planned = (await plan(database, wanted)).shown()
    assert len(await outbox(database)) == 5
    assert (await apply(database, wanted)).shown() == planned
    assert (await apply(database, wanted)).shown()["counts"]["unchanged"] == 1


async def test_accounts_that_are_not_in_the_document_are_left_alone(database):
    await acme(database)
    await apply(database, document({"id": "other", "name": "Other"}))
    async with database.reading() as session:
        assert len(await load(session, "acme")) == 3


async def test_two_applies_of_the_same_accounts_do_not_wait_for_each_other_for_ever(database):
    there = document({"id": "a", "name": "1"}, {"id": "b", "name": "1"})
    back = document({"id": "b", "name": "2"}, {"id": "a", "name": "2"})
    async with asyncio.timeout(20):
        await asyncio.gather(*(apply(database, each) for each in (there, back) * 5))


async def test_a_masked_secret_keeps_what_is_stored(database):
    await operations.put(database, "acme", ACME, account())
    await operations.put(database, "acme", CRM, action(target_url="https://u:p@example.com/a"))
    moved = action(target_url="https://***@example.com/b")
    entity, _ = await operations.put(database, "acme", CRM, moved)
    assert entity.settings["target_url"] == "https://u:p@example.com/b"


async def test_a_stored_password_does_not_go_to_another_server(database):
    await operations.put(database, "acme", ACME, account())
    await operations.put(database, "acme", CRM, action(target_url="https://u:p@example.com/a"))
    moved = action(target_url="https://***@evil.example/a")
    with pytest.raises(Problem) as refused:
        await operations.put(database, "acme", CRM, moved)
    assert refused.value.extra["errors"][0]["path"] == "target_url"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_stored_settings_make_the_record_that_the_model_makes(database):
    model = Account(name="Acme", leadflow_enabled=True)
    settings = account_settings(model)
    assert avro_record("acme", ACME, settings, 7) == account_to_avro(model, "acme", 7)
    model = Action(name="A", scope="all_calls", target_url="http://x/")
    encode = current("Action").encode  # what is left out has the schema's default
    record = avro_record("acme", CRM, action_settings(model), 7)
    assert encode(record) == encode(model.to_avro("crm", 7))
    model = Routing(send="none", label="L")
    assert avro_record("acme", NUMBER, routing_settings(model), 7) == model.to_avro()

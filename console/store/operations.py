"""One change of the configuration a call, each a transaction of its own.

All raise `Problem`: 404 for what is not there, 409, 412 and 422 as each says.
"""

from __future__ import annotations

import base64
import secrets

from sqlalchemy.ext.asyncio import AsyncSession

from console.database import Database
from console.store.changes import Change, compare, lock, save
from console.store.entities import Entity, Key, Settings
from console.store.masks import unmask
from console.store.state import find, get, load, naming
from schemas.signing import rotated
from streaming.problems import Problem, invalid

NAMED_BY = 10
"""How many of those that name an action are listed."""


async def put(
    database: Database,
    account_id: str,
    key: Key,
    settings: Settings,
    *,
    if_version: int | None = None,
    must_exist: bool = False,
) -> tuple[Entity, bool]:
    """Save an entity; also whether it is new. Settings that are stored already change nothing.

    412 when the stored version is not `if_version`; 422 for a specific action that does not exist
    and for a mask that stands for no secret.
    """
    async with database.writing() as session:
        await lock(session, account_id)
        stored = await find(session, account_id, key)
        if must_exist and stored is None:
            stored = await get(session, account_id, key)
        _unchanged_since(if_version, stored)
        before = None if stored is None else stored.settings
        settings, faults = unmask(settings, before)
        if faults:
            raise invalid(faults)
        await _specific_exists(session, account_id, settings)
        if stored is not None and before == settings:
            return stored, False
        change = Change(account_id, key, before, settings)
        version = await save(session, account_id, [change])
    return Entity(settings, version), stored is None


async def add_signing_secret(
    database: Database, account_id: str, action_id: str, secret: str, *, if_version: int | None
) -> Entity:
    """Put a new secret in front; the one before it of the same kind stays, older ones go.

    412 as `put`; 422 for an action of Google Analytics, which nobody signs for.
    """
    async with database.writing() as session:
        await lock(session, account_id)
        key: Key = ("action", action_id)
        stored = await get(session, account_id, key)
        _unchanged_since(if_version, stored)
        option = stored.settings["option"]
        if option != "call_detail":
            reason = "is not signed for; only actions of option call_detail are"
            raise invalid([{"path": "option", "reason": reason, "given": option}])
        known = stored.settings.get("signing_secrets", [])
        settings = stored.settings | {"signing_secrets": rotated(known, secret)}
        version = await save(
            session, account_id, [Change(account_id, key, stored.settings, settings)]
        )
    return Entity(settings, version)


async def resume(database: Database, account_id: str, action_id: str) -> Entity:
    """Give an action a new version, nothing else: its paused endpoint is tried again, and one that
    is left alone at once. 404 for what is not there."""
    async with database.writing() as session:
        await lock(session, account_id)
        key: Key = ("action", action_id)
        stored = await get(session, account_id, key)
        version = await save(
            session, account_id, [Change(account_id, key, stored.settings, stored.settings)]
        )
    return Entity(stored.settings, version)


def _unchanged_since(if_version: int | None, stored: Entity | None) -> None:
    """Raise `Problem` 412 when the stored version is another one; None matches all."""
    if stored is not None and if_version is not None and if_version != stored.version:
        raise Problem(
            412,
            "Changed meanwhile",
            f"It is at version {stored.version}; read it again and repeat the change.",
            headers={"ETag": etag(stored.version)},
            version=stored.version,
        )


async def _specific_exists(session: AsyncSession, account_id: str, settings: Settings) -> None:
    action_id = settings.get("action_id")
    if action_id and await find(session, account_id, ("action", action_id)) is None:
        raise invalid([unknown_action("action_id", account_id, action_id)])


def unknown_action(path: str, account_id: str, action_id: str) -> dict[str, str]:
    """What is wrong with naming it."""
    reason = f"account {account_id} has no such action"
    return {"path": path, "reason": reason, "given": action_id}


async def create_action(
    database: Database, account_id: str, settings: Settings
) -> tuple[str, Entity]:
    """A new action under an id made here: 16 characters, 80 random bits."""
    action_id = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    entity, _ = await put(database, account_id, ("action", action_id), settings)
    return action_id, entity


async def delete_one(database: Database, account_id: str, key: Key, *, force: bool = False) -> None:
    """Delete an entity; with an account goes everything in it.

    409 for an action that numbers, pools or ad groups name as their specific one, unless `force`:
    then nothing runs for their calls (D3).
    """
    async with database.writing() as session:
        await lock(session, account_id)
        stored = await get(session, account_id, key)
        if key[0] == "account":
            changes = compare(account_id, await load(session, account_id), {})
        else:
            changes = [Change(account_id, key, stored.settings, None)]
        if key[0] == "action" and not force:
            await _nothing_names(session, account_id, key[1])
        await save(session, account_id, changes)


async def _nothing_names(session: AsyncSession, account_id: str, action_id: str) -> None:
    count, first = await naming(session, account_id, action_id, NAMED_BY)
    if count:
        listed = ", ".join(f"{kind.replace('_', ' ')} {id_}" for kind, id_ in first)
        more = f" and {count - len(first)} more" if count > len(first) else ""
        raise Problem(
            409,
            "In use",
            f"It is the specific action of {listed}{more}. Give them another setting first, or"
            " delete it with ?force=true: then no action at all runs for their calls.",
            count=count,
            named_by=[{"kind": kind, "id": id_} for kind, id_ in first],
        )


def etag(version: int) -> str:
    """The version as an entity tag."""
    return f'"{version}"'

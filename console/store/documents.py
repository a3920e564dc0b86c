"""Whole accounts at once: what `pca plan`, `pca apply` and `pca export` do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from console.database import Database
from console.store.changes import Change, compare, lock, save
from console.store.entities import Entity, Key, Settings, State, document_settings
from console.store.masks import mask, unmask
from console.store.operations import unknown_action
from console.store.state import account_ids, load, no_such
from schemas.configuration import AccountDocument, Document
from schemas.sealing import unopened
from streaming.problems import Problem, invalid

_FOLDERS = {"number": "numbers", "pool": "pools", "ad_group": "ad_groups"}


@dataclass(slots=True)
class Outcome:
    """What an apply changed, or would change."""

    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0

    def shown(self) -> dict[str, Any]:
        """As JSON: the changes, and how many of each kind; what is unchanged is only counted."""
        counts = {"created": 0, "updated": 0, "deleted": 0, "unchanged": self.unchanged}
        for change in self.changes:
            counts[change.what] += 1
        return {"counts": counts, "changes": [change.shown() for change in self.changes]}


async def plan(database: Database, document: Document) -> Outcome:
    """What `apply` would do. Raises `Problem` 422 as it does."""
    outcome = Outcome()
    async with database.reading() as session:
        for index, account in enumerate(document.accounts):
            await _plan(session, index, account, outcome)
    return outcome


async def apply(database: Database, document: Document) -> Outcome:
    """Make each account of the document exactly as it says, all in one transaction.

    Accounts that it does not mention are left alone. Raises `Problem` 422 with paths.
    """
    outcome = Outcome()
    async with database.writing() as session:
        # Always in the same order, so that two of these cannot wait for each other.
        for account_id in sorted(account.id for account in document.accounts):
            await lock(session, account_id)
        for index, account in enumerate(document.accounts):
            changes = await _plan(session, index, account, outcome)
            if changes:
                await save(session, account.id, changes)
    return outcome


async def _plan(
    session: AsyncSession, index: int, account: AccountDocument, outcome: Outcome
) -> list[Change]:
    state = await load(session, account.id)
    wanted = document_settings(account)
    faults = _reveal(index, account, state, wanted)
    changes = compare(account.id, state, wanted)
    faults += _routing_faults(index, account.id, state, wanted)
    if faults:
        raise invalid(faults)
    outcome.changes += changes
    outcome.unchanged += len(wanted) - sum(change.after is not None for change in changes)
    return changes


def _reveal(
    index: int, account: AccountDocument, state: State, wanted: dict[Key, Settings]
) -> list[dict[str, str]]:
    """Put stored secrets in place of their masks in `wanted`; the masks that stand for nothing."""
    faults = []
    for position, action in enumerate(account.actions):
        key: Key = ("action", action.id)
        stored = state[key].settings if key in state else None
        path = f"accounts[{index}].actions[{position}]."
        wanted[key], wrong = unmask(wanted[key], stored, path)
        faults += wrong
    return faults


def _routing_faults(
    index: int, account_id: str, state: State, wanted: dict[Key, Settings]
) -> list[dict[str, str]]:
    """Routings with a label that cannot be stored, or that name an action which is not there.

    One whose action was deleted by force (D3) may stay as it is, or what was exported could not be
    applied.
    """
    faults: list[dict[str, str]] = []
    for key, settings in wanted.items():
        action_id = settings.get("action_id") if key[0] in _FOLDERS else None
        if not action_id or ("action", action_id) in wanted:
            continue
        stored: Entity | None = state.get(key)
        if ("action", action_id) in state or stored is None or stored.settings != settings:
            path = f"accounts[{index}].{_FOLDERS[key[0]]}.{key[1]}.action_id"
            faults.append(unknown_action(path, account_id, action_id))
    return faults


async def export(
    database: Database, accounts: list[str], *, secrets: bool = False
) -> dict[str, Any]:
    """The accounts (all of them where none is named) as a document; 404 for one that is not there,
    409 where `secrets` are asked for that no key opens.

    Without `secrets` they are masked; applied to this console again, masks change nothing.
    """
    async with database.reading() as session:
        documents = []
        for account_id in accounts or await account_ids(session):
            state = await load(session, account_id)
            if not state:
                raise no_such("account", account_id)
            if secrets:
                _all_open(account_id, state)
            documents.append(_document(account_id, state, secrets=secrets))
    return {"accounts": documents}


def _all_open(account_id: str, state: State) -> None:
    """Raise `Problem` 409 naming each secret that no key opens: half a backup is none."""
    closed = [
        f"{path} of action {account_id}/{id_}"
        for (kind, id_), entity in sorted(state.items())
        if kind == "action"
        for path in unopened(entity.settings)
    ]
    if closed:
        raise Problem(
            409,
            "Sealed",
            f"Sealed under a key that is not in PCA_SECRET_KEYS: {', '.join(closed[:10])}."
            f" Add the key, or save other secrets.",
        )


def _document(account_id: str, state: State, *, secrets: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"id": account_id, **state["account", account_id].settings}
    document["actions"] = []
    for folder in _FOLDERS.values():
        document[folder] = {}
    for (kind, id_), entity in sorted(state.items()):
        if kind == "action":
            settings = entity.settings if secrets else mask(entity.settings)
            document["actions"].append({"id": id_, **settings})
        elif kind != "account":
            document[_FOLDERS[kind]][id_] = entity.settings
    return document

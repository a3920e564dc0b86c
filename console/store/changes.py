"""Changes of an account: found by comparing, written together with their outbox rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from console.database import sealer_of
from console.store.entities import (
    KINDS,
    Entity,
    Key,
    Kind,
    Settings,
    State,
    avro_record,
    topic_key,
)
from console.store.masks import mask
from console.store.state import ACCOUNT_COLUMNS, account_entity
from console.tables import AccountRow, AccountVersion, ActionRow, OutboxRow, RoutingRow

What = Literal["created", "updated", "deleted"]
Rows = list[dict[str, Any]]

_TABLES: dict[Kind, Any] = {
    "account": AccountRow.__table__,
    "action": ActionRow.__table__,
    "number": RoutingRow.__table__,
    "pool": RoutingRow.__table__,
    "ad_group": RoutingRow.__table__,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One entity of an account: `before` is None for a new one, `after` for a deleted one."""

    account_id: str
    key: Key
    before: Settings | None
    after: Settings | None

    @property
    def what(self) -> What:
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "updated"

    def shown(self) -> dict[str, Any]:
        """As `plan` and `apply` answer it, secrets masked."""
        kind, id_ = self.key
        return {
            "change": self.what,
            "path": topic_key(self.account_id, self.key).decode(),
            "account": self.account_id,
            "kind": kind,
            "id": id_,
            "fields": list(self._fields()) if self.what == "updated" else [],
        }

    def _fields(self) -> Iterable[dict[str, Any]]:
        assert self.before is not None
        assert self.after is not None
        before, after = _flat(self.before), _flat(self.after)
        shown_before, shown_after = _flat(mask(self.before)), _flat(mask(self.after))
        for name in [*before, *(after.keys() - before.keys())]:
            if before.get(name) != after.get(name):
                yield {
                    "field": name,
                    "before": shown_before.get(name),
                    "after": shown_after.get(name),
                }


def _flat(settings: Settings) -> Settings:
    """Settings in groups as fields of their own: `google_analytics.event_name`."""
    flat = dict(settings)
    for group in ("google_analytics", "tls"):
        for name, value in flat.pop(group, {}).items():
            flat[f"{group}.{name}"] = value
    return flat


def compare(account_id: str, state: State, wanted: Mapping[Key, Settings]) -> list[Change]:
    """What makes `state` into `wanted`: what is new or changed, then what is deleted."""
    changes = []
    for key, settings in wanted.items():
        entity = state.get(key)
        if entity is None:
            changes.append(Change(account_id, key, None, settings))
        elif entity.settings != settings:
            changes.append(Change(account_id, key, entity.settings, settings))
    changes.sort(key=lambda change: KINDS.index(change.key[0]))
    deleted = [
        Change(account_id, key, entity.settings, None)
        for key, entity in state.items()
        if key not in wanted
    ]
    deleted.sort(key=lambda change: KINDS.index(change.key[0]))
    return changes + deleted


async def lock(session: AsyncSession, account_id: str) -> int:
    """Be the only one that changes the account until the transaction ends; its last version."""
    dialect = session.get_bind().dialect.name
    upsert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    await session.execute(
        upsert(AccountVersion).values(account_id=account_id, version=0).on_conflict_do_nothing()
    )
    version: int | None = await session.scalar(
        select(AccountVersion.version)
        .where(AccountVersion.account_id == account_id)
        .with_for_update()
    )
    assert version is not None
    return version


async def save(session: AsyncSession, account_id: str, changes: Sequence[Change]) -> int:
    """Write the changes of a locked account under its next version, which is returned.

    The account's own record is written again with every change, for its version is that of the
    whole configuration (D9).
    """
    version: int | None = await session.scalar(
        update(AccountVersion)
        .where(AccountVersion.account_id == account_id)
        .values(version=AccountVersion.version + 1)
        .returning(AccountVersion.version)
    )
    assert version is not None, "the account is not locked"
    account_goes = any(c.key[0] == "account" and c.after is None for c in changes)
    for kind in KINDS:
        of_kind = [change for change in changes if change.key[0] == kind]
        # What belongs to an account goes with its row.
        if of_kind and (kind == "account" or not account_goes):
            await _write(session, kind, of_kind, version)
    records = [(c.key, None if c.after is None else Entity(c.after, version)) for c in changes]
    if not any(change.key[0] == "account" for change in changes):
        records.append((("account", account_id), await _counted(session, account_id, version)))
    await enqueue(session, account_id, records, version)
    return version


async def _counted(session: AsyncSession, account_id: str, version: int) -> Entity:
    """The account, itself unchanged, at the version of what changed in it."""
    row = await session.execute(
        update(AccountRow)
        .where(AccountRow.id == account_id)
        .values(version=version)
        .returning(*ACCOUNT_COLUMNS)
    )
    return account_entity(row.one())


async def _write(session: AsyncSession, kind: Kind, changes: list[Change], version: int) -> None:
    table = _TABLES[kind]
    keys = [column for column in table.primary_key.columns if column.name != "kind"]
    this_one = [column == bindparam(f"key_{column.name}") for column in keys]
    if table is RoutingRow.__table__:
        this_one.append(table.c.kind == kind)
    created: Rows = []
    updated: Rows = []
    deleted: Rows = []
    for change in changes:
        id_ = change.key[1]
        where = {"key_account_id": change.account_id, "key_id": id_}
        if kind == "account":
            del where["key_account_id"]
        if change.after is None:
            deleted.append(where)
            continue
        values = _columns(kind, sealed(session, kind, change.after)) | {"version": version}
        if change.before is not None:
            updated.append(where | values)
            continue
        row = values | {"id": id_}
        if kind != "account":
            row["account_id"] = change.account_id
        if table is RoutingRow.__table__:
            row["kind"] = kind
        created.append(row)
    # On the connection: rows by the hundred thousand need no identity map.
    connection = await session.connection()
    if created:
        await connection.execute(insert(table), created)
    if updated:
        names = updated[0].keys() - {"key_account_id", "key_id"}
        values_of: dict[str, Any] = {name: bindparam(name) for name in names}
        await connection.execute(update(table).where(*this_one).values(values_of), updated)
    if deleted:
        await connection.execute(delete(table).where(*this_one), deleted)


def sealed(session: AsyncSession, kind: Kind, settings: Settings) -> Settings:
    """The settings as they are written, in rows and in the outbox; only actions have secrets."""
    return sealer_of(session).sealed(settings) if kind == "action" else settings


def _columns(kind: Kind, settings: Settings) -> dict[str, Any]:
    if kind == "action":
        return {"body": settings}
    if kind == "account":
        return dict(settings)
    return {name: settings.get(name) for name in ("send", "action_id", "label")}


# What takes effect one by one must never let a rule apply that nobody wrote. An action comes before
# the numbers that name it, and goes after them. Without its account nothing counts, so the account
# comes when all the rest is there, and goes first.
_SAVED: dict[Kind, int] = {"action": 1, "number": 2, "pool": 2, "ad_group": 2, "account": 5}
_DELETED: dict[Kind, int] = {"account": 0, "number": 3, "pool": 3, "ad_group": 3, "action": 4}


def _turn(record: tuple[Key, Entity | None]) -> int:
    key, entity = record
    return (_DELETED if entity is None else _SAVED)[key[0]]


async def enqueue(
    session: AsyncSession,
    account_id: str,
    entities: Iterable[tuple[Key, Entity | None]],
    version: int,
) -> None:
    """Put records (None: a tombstone, with `version`) of a locked account into the outbox.

    They are put into the order in which they may take effect one by one.
    """
    rows: Rows = []
    for key, entity in sorted(entities, key=_turn):
        row = {"account_id": account_id, "key": topic_key(account_id, key)}
        if entity is None:
            rows.append(row | {"value": None, "version": version})
            continue
        settings = sealed(session, key[0], entity.settings)
        record = orjson.dumps(avro_record(account_id, key, settings, entity.version))
        rows.append(row | {"value": record, "version": entity.version})
    if rows:
        connection = await session.connection()
        await connection.execute(insert(OutboxRow.__table__), rows)  # type: ignore[arg-type]


async def reseal(session: AsyncSession, account_id: str, state: State) -> None:
    """Write the secrets of a locked account's actions again: what was plain is sealed then, and
    what was sealed is so under the newest key. Nothing else changes, versions neither."""
    table: Any = ActionRow.__table__
    rows = [
        {
            "key_account_id": account_id,
            "key_id": id_,
            "body": sealed(session, kind, entity.settings),
        }
        for (kind, id_), entity in state.items()
        if kind == "action"
    ]
    if rows:
        this_one = (table.c.account_id == bindparam("key_account_id"),
                    table.c.id == bindparam("key_id"))  # fmt: skip
        connection = await session.connection()
        await connection.execute(
            update(table).where(*this_one).values(body=bindparam("body")), rows
        )

"""What is stored, read."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from console.database import sealer_of
from console.store.entities import Entity, Key, Kind, RoutingKind, Settings, State
from console.tables import AccountRow, ActionRow, RoutingRow
from streaming.problems import Problem

ACCOUNT_COLUMNS = (
    AccountRow.id,
    AccountRow.version,
    AccountRow.name,
    AccountRow.reverse_lookup_enabled,
    AccountRow.sourcetrak_enabled,
    AccountRow.leadflow_enabled,
)
_ROUTING = (
    RoutingRow.kind,
    RoutingRow.id,
    RoutingRow.version,
    RoutingRow.send,
    RoutingRow.action_id,
    RoutingRow.label,
)
Page = list[tuple[str, Entity]]


def account_entity(row: Any) -> Entity:
    """From `ACCOUNT_COLUMNS`."""
    return Entity(
        {
            "name": row.name,
            "reverse_lookup_enabled": row.reverse_lookup_enabled,
            "sourcetrak_enabled": row.sourcetrak_enabled,
            "leadflow_enabled": row.leadflow_enabled,
        },
        row.version,
    )


def _action(session: AsyncSession, row: Any) -> Entity:
    """With its secrets opened, but for those that no key opens (`schemas.sealing.unopened`)."""
    return Entity(sealer_of(session).opened(row.body), row.version)


def _routing(row: Any) -> Entity:
    settings: Settings = {"send": row.send}
    if row.action_id:
        settings["action_id"] = row.action_id
    if row.label:
        settings["label"] = row.label
    return Entity(settings, row.version)


async def load(session: AsyncSession, account_id: str) -> State:
    """Everything in an account; empty when there is no such account."""
    state: State = {}
    account = await session.execute(select(*ACCOUNT_COLUMNS).where(AccountRow.id == account_id))
    for found in account:
        state["account", found.id] = account_entity(found)
    actions = await session.execute(
        select(ActionRow.id, ActionRow.version, ActionRow.body).where(
            ActionRow.account_id == account_id
        )
    )
    for action in actions:
        state["action", action.id] = _action(session, action)
    routings = await session.execute(select(*_ROUTING).where(RoutingRow.account_id == account_id))
    for routing in routings:
        state[cast("Kind", routing.kind), routing.id] = _routing(routing)
    return state


async def find(session: AsyncSession, account_id: str, key: Key) -> Entity | None:
    """One thing of an account. Raises `Problem` 404 when the account itself does not exist."""
    kind, id_ = key
    account = (
        await session.execute(select(*ACCOUNT_COLUMNS).where(AccountRow.id == account_id))
    ).one_or_none()
    if kind == "account":
        return None if account is None else account_entity(account)
    if account is None:
        raise no_such("account", account_id)
    if kind == "action":
        action = (
            await session.execute(
                select(ActionRow.version, ActionRow.body).where(
                    ActionRow.account_id == account_id, ActionRow.id == id_
                )
            )
        ).one_or_none()
        return None if action is None else _action(session, action)
    routing = (
        await session.execute(
            select(*_ROUTING).where(
                RoutingRow.account_id == account_id, RoutingRow.kind == kind, RoutingRow.id == id_
            )
        )
    ).one_or_none()
    return None if routing is None else _routing(routing)


async def get(session: AsyncSession, account_id: str, key: Key) -> Entity:
    """The same, and a `Problem` 404 when there is no such thing."""
    entity = await find(session, account_id, key)
    if entity is None:
        raise no_such(*key)
    return entity


def no_such(kind: str, id_: str) -> Problem:
    """404."""
    return Problem(404, "Not Found", f"There is no {kind.replace('_', ' ')} {id_}.")


async def account_ids(session: AsyncSession) -> list[str]:
    """Every account."""
    return list(await session.scalars(select(AccountRow.id).order_by(AccountRow.id)))


async def accounts_page(session: AsyncSession, limit: int, after: str) -> Page:
    """Up to `limit` accounts with an id above `after`."""
    rows = await session.execute(
        select(*ACCOUNT_COLUMNS).where(AccountRow.id > after).order_by(AccountRow.id).limit(limit)
    )
    return [(row.id, account_entity(row)) for row in rows]


async def actions_page(session: AsyncSession, account_id: str, limit: int, after: str) -> Page:
    """Up to `limit` actions of an account with an id above `after`; 404 without the account."""
    await get(session, account_id, ("account", account_id))
    rows = await session.execute(
        select(ActionRow.id, ActionRow.version, ActionRow.body)
        .where(ActionRow.account_id == account_id, ActionRow.id > after)
        .order_by(ActionRow.id)
        .limit(limit)
    )
    return [(row.id, _action(session, row)) for row in rows]


async def routings_page(
    session: AsyncSession, account_id: str, kind: RoutingKind, limit: int, after: str
) -> Page:
    """Up to `limit` numbers, pools or ad groups with an id above `after`; 404 as above."""
    await get(session, account_id, ("account", account_id))
    rows = await session.execute(
        select(*_ROUTING)
        .where(RoutingRow.account_id == account_id, RoutingRow.kind == kind, RoutingRow.id > after)
        .order_by(RoutingRow.id)
        .limit(limit)
    )
    return [(row.id, _routing(row)) for row in rows]


async def naming(
    session: AsyncSession, account_id: str, action_id: str, limit: int
) -> tuple[int, list[Key]]:
    """How many numbers, pools and ad groups name the action, and the first `limit` of them."""
    names_it = (RoutingRow.account_id == account_id, RoutingRow.action_id == action_id)
    count = await session.scalar(select(func.count()).select_from(RoutingRow).where(*names_it))
    rows = await session.execute(
        select(RoutingRow.kind, RoutingRow.id)
        .where(*names_it)
        .order_by(RoutingRow.kind, RoutingRow.id)
        .limit(limit)
    )
    return count or 0, [(cast("Kind", row.kind), row.id) for row in rows]

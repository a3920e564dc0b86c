"""`/v1/accounts/{account}/pools` and `/ad-groups`: SourceTrak pools and Call Extensions ad groups.

The two differ in nothing but their name.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import Response

from console.answers import ROUTING_EXAMPLE, Page, RoutingAnswer
from console.routes.requests import AccountId, After, EntityId, Limit, Store, answer, part, router
from console.store import operations, state
from console.store.entities import RoutingKind, routing_settings
from schemas.configuration import PoolRouting
from streaming.problems import problems

_NO_ACCOUNT = problems(_404="There is no such account.")
_NOT_FOUND = problems(_404="There is no such account, or nothing is configured for this.")
_SAVED: dict[int | str, dict[str, Any]] = _NO_ACCOUNT | {
    201: {"model": RoutingAnswer, "description": "It is new."}
}


def _routes(folder: str, kind: RoutingKind, noun: str) -> APIRouter:
    routes = router(folder.replace("-", " ").capitalize())
    every = f"/accounts/{{account}}/{folder}"
    one = every + "/{group}"

    @routes.get(
        every,
        name=f"list_{kind}s",
        response_model=Page[RoutingAnswer],
        responses=_NO_ACCOUNT,
        description=f"What is configured for each {noun}, in parts.",
    )
    async def list_groups(
        store: Store, account: AccountId, limit: Limit = 100, after: After = ""
    ) -> Response:
        async with store.reading() as session:
            page = await state.routings_page(session, account, kind, limit + 1, after)
        return part(page, limit)

    @routes.get(
        one,
        name=f"get_{kind}",
        response_model=RoutingAnswer,
        responses=_NOT_FOUND,
        description=f"What is configured for one {noun}.",
    )
    async def get_group(store: Store, account: AccountId, group: EntityId) -> Response:
        async with store.reading() as session:
            return answer(group, await state.get(session, account, (kind, group)))

    @routes.put(
        one,
        name=f"put_{kind}",
        response_model=RoutingAnswer,
        responses=_SAVED,
        description=f"Say what calls through the {noun} trigger. `inherit`, the default, leaves it"
        " to the number (D7); a `specific` action must exist.",
    )
    async def put_group(
        store: Store,
        account: AccountId,
        group: EntityId,
        body: Annotated[PoolRouting, Body(examples=[ROUTING_EXAMPLE])],
    ) -> Response:
        settings = routing_settings(body)
        entity, created = await operations.put(store, account, (kind, group), settings)
        return answer(group, entity, created=created)

    @routes.delete(
        one,
        name=f"delete_{kind}",
        status_code=204,
        responses=_NOT_FOUND,
        description=f"Forget what is configured for the {noun}: the number's setting counts then.",
    )
    async def delete_group(store: Store, account: AccountId, group: EntityId) -> None:
        await operations.delete_one(store, account, (kind, group))

    return routes


pools = _routes("pools", "pool", "SourceTrak pool")
ad_groups = _routes("ad-groups", "ad_group", "Call Extensions ad group")

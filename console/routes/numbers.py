"""`/v1/accounts/{account}/numbers`: what calls to a number trigger, and its Phone Label."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Path
from starlette.responses import Response

from console.answers import ROUTING_EXAMPLE, Page, RoutingAnswer
from console.routes.requests import AccountId, After, Limit, Store, answer, part, router
from console.store import operations, state
from console.store.entities import routing_settings
from schemas.configuration import PhoneNumber, Routing
from streaming.problems import problems

routes = router("Numbers")
Number = Annotated[
    PhoneNumber,
    Path(description="In any way to write a number; kept as E.164.", examples=["+18005550100"]),
]
_NO_ACCOUNT = problems(_404="There is no such account.")
_NOT_FOUND = problems(_404="There is no such account, or nothing is configured for the number.")


@routes.get(
    "/accounts/{account}/numbers", response_model=Page[RoutingAnswer], responses=_NO_ACCOUNT
)
async def list_numbers(
    store: Store, account: AccountId, limit: Limit = 100, after: After = ""
) -> Response:
    """The account's configured numbers, in parts."""
    async with store.reading() as session:
        return part(await state.routings_page(session, account, "number", limit + 1, after), limit)


@routes.get(
    "/accounts/{account}/numbers/{number}", response_model=RoutingAnswer, responses=_NOT_FOUND
)
async def get_number(store: Store, account: AccountId, number: Number) -> Response:
    """What is configured for a number."""
    async with store.reading() as session:
        return answer(number, await state.get(session, account, ("number", number)))


@routes.put(
    "/accounts/{account}/numbers/{number}",
    response_model=RoutingAnswer,
    responses=_NO_ACCOUNT | {201: {"model": RoutingAnswer, "description": "It is new."}},
)
async def put_number(
    store: Store,
    account: AccountId,
    number: Number,
    body: Annotated[Routing, Body(examples=[ROUTING_EXAMPLE])],
) -> Response:
    """Say what calls to a number trigger. A `specific` action must exist."""
    entity, created = await operations.put(
        store, account, ("number", number), routing_settings(body)
    )
    return answer(number, entity, created=created)


@routes.delete("/accounts/{account}/numbers/{number}", status_code=204, responses=_NOT_FOUND)
async def delete_number(store: Store, account: AccountId, number: Number) -> None:
    """Forget what is configured for a number: it is as Account-Wide from then on (D4)."""
    await operations.delete_one(store, account, ("number", number))

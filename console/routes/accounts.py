"""`/v1/accounts`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body
from starlette.responses import Response

from console.answers import ACCOUNT_EXAMPLE, AccountAnswer, Page
from console.routes.requests import AccountId, After, Limit, Store, answer, part, router
from console.store import operations, state
from console.store.entities import Key, account_settings
from schemas.configuration import Account
from streaming.problems import problems

routes = router("Accounts")
_NOT_FOUND = problems(_404="There is no such account.")


@routes.get("/accounts", response_model=Page[AccountAnswer])
async def list_accounts(store: Store, limit: Limit = 100, after: After = "") -> Response:
    """Every account, in parts."""
    async with store.reading() as session:
        return part(await state.accounts_page(session, limit + 1, after), limit)


@routes.get("/accounts/{account}", response_model=AccountAnswer, responses=_NOT_FOUND)
async def get_account(store: Store, account: AccountId) -> Response:
    """One account."""
    async with store.reading() as session:
        return answer(account, await state.get(session, account, ("account", account)))


@routes.put(
    "/accounts/{account}",
    response_model=AccountAnswer,
    responses={201: {"model": AccountAnswer, "description": "It is new."}},
)
async def put_account(
    store: Store, account: AccountId, body: Annotated[Account, Body(examples=[ACCOUNT_EXAMPLE])]
) -> Response:
    """Create an account, or say anew what is enabled for it."""
    key: Key = ("account", account)
    entity, created = await operations.put(store, account, key, account_settings(body))
    return answer(account, entity, created=created)


@routes.delete("/accounts/{account}", status_code=204, responses=_NOT_FOUND)
async def delete_account(store: Store, account: AccountId) -> None:
    """Delete an account and everything in it: its calls are unroutable from then on."""
    await operations.delete_one(store, account, ("account", account))

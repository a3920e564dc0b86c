"""`/v1/accounts/{account}/actions`: Post Call Actions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Header, Query
from starlette.responses import Response

from console.answers import ACTION_EXAMPLE, ActionAnswer, Page
from console.routes.egress import Egress, check_action
from console.routes.requests import (
    AccountId,
    After,
    EntityId,
    Limit,
    Store,
    answer,
    part,
    router,
    version_in,
)
from console.store import operations, state
from console.store.entities import Entity, action_settings
from console.store.masks import mask
from schemas.configuration import Action
from streaming.problems import problems

routes = router("Post Call Actions")
ActionBody = Annotated[Action, Body(examples=[ACTION_EXAMPLE])]
_NOT_FOUND = problems(_404="There is no such account or action.")


def _masked(entity: Entity) -> Entity:
    return Entity(mask(entity.settings), entity.version)


@routes.get("/accounts/{account}/actions", response_model=Page[ActionAnswer], responses=_NOT_FOUND)
async def list_actions(
    store: Store, account: AccountId, limit: Limit = 100, after: After = ""
) -> Response:
    """The account's actions, in parts."""
    async with store.reading() as session:
        page = await state.actions_page(session, account, limit + 1, after)
    return part([(id_, _masked(entity)) for id_, entity in page], limit)


@routes.post(
    "/accounts/{account}/actions",
    response_model=ActionAnswer,
    status_code=201,
    responses=_NOT_FOUND,
)
async def create_action(
    store: Store, egress: Egress, account: AccountId, body: ActionBody
) -> Response:
    """Create an action; its id is made here."""
    check_action(egress, body)
    id_, entity = await operations.create_action(store, account, action_settings(body))
    response = answer(id_, _masked(entity), created=True)
    response.headers["Location"] = f"/v1/accounts/{account}/actions/{id_}"
    return response


@routes.get(
    "/accounts/{account}/actions/{action}", response_model=ActionAnswer, responses=_NOT_FOUND
)
async def get_action(store: Store, account: AccountId, action: EntityId) -> Response:
    """One action, secrets masked as `***`."""
    async with store.reading() as session:
        return answer(action, _masked(await state.get(session, account, ("action", action))))


@routes.put(
    "/accounts/{account}/actions/{action}",
    response_model=ActionAnswer,
    responses=_NOT_FOUND
    | problems(
        _412="It was changed since; `version` is what it is at now.",
        _428="If-Match is missing.",
    ),
)
async def put_action(
    store: Store,
    egress: Egress,
    account: AccountId,
    action: EntityId,
    body: ActionBody,
    if_match: Annotated[
        str | None,
        Header(description="The version that was read, quoted or not. Required.", examples=["7"]),
    ] = None,
) -> Response:
    """Change an action, if nobody else has since it was read.

    A secret that is sent as its mask (`***`) stays what it is.
    """
    check_action(egress, body)
    entity, _ = await operations.put(
        store,
        account,
        ("action", action),
        action_settings(body),
        if_version=version_in(if_match),
        must_exist=True,
    )
    return answer(action, _masked(entity))


@routes.post(
    "/accounts/{account}/actions/{action}/resume",
    response_model=ActionAnswer,
    responses=_NOT_FOUND,
)
async def resume_action(store: Store, account: AccountId, action: EntityId) -> Response:
    """Have a paused action tried again: it gets a new version and stays as it is otherwise.

    The next call for it is the probe. What was kept meanwhile is sent again by `pca replay`.
    """
    return answer(action, _masked(await operations.resume(store, account, action)))


@routes.delete(
    "/accounts/{account}/actions/{action}",
    status_code=204,
    responses=_NOT_FOUND | problems(_409="Numbers, pools or ad groups name it: `named_by`."),
)
async def delete_action(
    store: Store,
    account: AccountId,
    action: EntityId,
    *,
    force: Annotated[
        bool,
        Query(description="Also when it is somebody's specific action; nothing runs for it then."),
    ] = False,
) -> None:
    """Delete an action."""
    await operations.delete_one(store, account, ("action", action), force=force)

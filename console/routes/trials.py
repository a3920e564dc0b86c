"""`/v1/preview`, and `/v1/accounts/{account}/actions/{action}/test`: actions tried out."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import Body, Request
from pydantic import Field
from starlette.responses import Response

from console import trial
from console.answers import ACTION_EXAMPLE, PreviewAnswer, TestAnswer
from console.routes.requests import AccountId, EntityId, Store, router
from console.sample_call import sample_call
from console.store import state
from console.store.entities import Settings, action_settings
from schemas.call import AccountId as AccountIdText
from schemas.call import Call, Shape
from schemas.configuration import Action
from schemas.numbers import e164
from schemas.sealing import unopened
from streaming.problems import problems

routes = router("Trying out")
NOWHERE = "sample"
"""The account of a preview that names none."""


class Preview(Shape):
    """An action, and the call to fill it in with."""

    action: Action
    call: Annotated[Call | None, Field(description="An invented one where left out.")] = None
    account: Annotated[
        AccountIdText | None,
        Field(description="Whose features and Phone Label count; all is enabled where left out."),
    ] = None


@routes.post(
    "/preview",
    response_model=PreviewAnswer,
    responses=problems(_404="There is no such account."),
)
async def preview(
    request: Request,
    store: Store,
    body: Annotated[Preview, Body(examples=[{"action": ACTION_EXAMPLE}])],
) -> Response:
    """The request as it would be sent, secrets masked. Nothing is saved and nothing is sent."""
    call = body.call or sample_call(body.account or NOWHERE, "sample-call", datetime.now(UTC))
    features, label = trial.ALL_ENABLED, ""
    if body.account:
        features, label = await _account(store, body.account, call)
    settings = action_settings(body.action)
    dispatch = trial.dispatch_for(settings, call, features, action_id="preview", label=label)
    one = trial.preview(dispatch, request.app.state.settings.google_analytics_url)
    return _json(
        {
            "request": one.shown_request(),
            "error": one.error,
            "detail": one.detail,
            "warnings": one.warnings,
        }
    )


@routes.post(
    "/accounts/{account}/actions/{action}/test",
    response_model=TestAnswer,
    responses=problems(_404="There is no such account or action."),
)
async def test_send(
    request: Request, store: Store, account: AccountId, action: EntityId
) -> Response:
    """Send the action's request once, for an invented call, and answer what came of it.

    Active or not, and whatever its conditions. An event for Google Analytics goes to its
    validation server, which says what is wrong and counts nothing. Nothing is written to Kafka and
    nothing is tried again; each test has a sid and a `webhook-id` of its own.
    """
    call = sample_call(account, f"test-{secrets.token_hex(8)}", datetime.now(UTC))
    async with store.reading() as session:
        stored = await state.get(session, account, ("action", action))
    features, label = await _account(store, account, call)
    if closed := unopened(stored.settings):
        detail = f"{', '.join(closed)} cannot be opened: PCA_SECRET_KEYS does not hold the key"
        one = trial.Trial(error="sealed", detail=detail)
    else:
        dispatch = trial.dispatch_for(
            stored.settings, call, features, action_id=action, label=label
        )
        one = await trial.send(dispatch, request.app.state.settings)
    messages = one.validation_messages() if "google_analytics" in stored.settings else None
    return _json(
        {"request": one.shown_request(), **one.shown_answer(), "validation_messages": messages}
    )


async def _account(store: Store, account_id: str, call: Call) -> tuple[Settings, str]:
    """What is enabled for the account, and the called number's label. Raises `Problem` 404."""
    async with store.reading() as session:
        found = await state.get(session, account_id, ("account", account_id))
        number = e164(call.called_number or "")
        routing = await state.find(session, account_id, ("number", number))
    return found.settings, routing.settings.get("label", "") if routing else ""


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")

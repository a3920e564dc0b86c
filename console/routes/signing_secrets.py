"""`/v1/accounts/{account}/actions/{action}/signing-secrets`: rotation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Header
from pydantic import Field
from starlette.responses import JSONResponse, Response

from console.answers import RotationAnswer
from console.routes.requests import AccountId, EntityId, Store, router, version_in
from console.store import operations
from schemas.call import Shape
from schemas.signing import Kind, new_secret, public_key
from streaming.problems import problems

routes = router("Post Call Actions")


class NewSecret(Shape):
    """Which kind of signing secret is made."""

    kind: Annotated[
        Kind,
        Field(description="`hmac`: shared, signs as `v1`. `ed25519`: a key pair, signs as `v1a`."),
    ] = "hmac"


@routes.post(
    "/accounts/{account}/actions/{action}/signing-secrets",
    response_model=RotationAnswer,
    status_code=201,
    responses=problems(
        _404="There is no such account or action.",
        _412="It was changed since; `version` is what it is at now.",
        _428="If-Match is missing.",
    ),
)
async def add_signing_secret(
    store: Store,
    account: AccountId,
    action: EntityId,
    body: Annotated[NewSecret, Body(examples=[{"kind": "hmac"}, {"kind": "ed25519"}])],
    if_match: Annotated[
        str | None,
        Header(description="The version that was read, quoted or not. Required.", examples=["7"]),
    ] = None,
) -> Response:
    """Make a new signing secret and answer it, once; of a key pair, the public key.

    Requests are signed with it and with the one before it of the same kind, until the next time.
    """
    secret = new_secret(body.kind)
    entity = await operations.add_signing_secret(
        store, account, action, secret, if_version=version_in(if_match)
    )
    shared = body.kind == "hmac"
    return JSONResponse(
        {
            "version": entity.version,
            "secret": secret if shared else None,
            "public_key": None if shared else public_key(secret),
        },
        201,
        headers={"ETag": operations.etag(entity.version)},
    )

"""The front door for calls: `POST /v1/calls`.

Routers of telephony systems (`POST /v1/ingest/<system>/<account>`) join here: one gives its
calls to `Intake.write` as this one does.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from producer.batch import NDJSON, RECORD, is_ndjson, read
from producer.intake import Intake
from producer.watch import Watch
from schemas.call import Call
from schemas.codec import Codec
from streaming.http_api import Lifespan, application, require_key
from streaming.metrics import CALLS_ACCEPTED, CALLS_REFUSED
from streaming.problems import Problem, problems
from streaming.settings import Settings

LARGE = 32 * 1024
"""Bytes of a body from which on it is read in a thread, so that small ones need not wait."""

DESCRIPTION = """\
Takes finished phone calls. `202` means that Kafka has them all, on every in-sync replica; any other
answer but `503` means that none was written. After a `503` some may arrive nevertheless; repeat the
request: the same `sid` and `revision` give the same dispatch ids, so receivers can tell."""

_REF_CALL = {"$ref": "#/components/schemas/Call"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [_REF_CALL, {"type": "array", "items": _REF_CALL}]}
            },
            **{
                kind: {"schema": {"type": "string", "description": "one call a line"}}
                for kind in sorted(NDJSON)
            },
        },
    }
}


class Accepted(BaseModel):
    """How many calls Kafka acknowledged: all of the request."""

    accepted: Annotated[int, Field(ge=0)]


def calls_router(intake: Intake, codec: Codec, topic: str, max_calls: int) -> APIRouter:
    """`POST /v1/calls`."""
    router = APIRouter(prefix="/v1", tags=["calls"], dependencies=[Depends(require_key)])

    @router.post(
        "/calls",
        status_code=202,
        response_model=Accepted,
        openapi_extra=_BODY,
        responses=problems(
            _503="Kafka is away or too many calls are waiting; try again after `Retry-After`."
        ),
    )
    async def post_calls(request: Request) -> Response:
        """Take one call, an array of calls, or a call a line (NDJSON): all or none of them."""
        try:
            intake.check()  # before time is spent on a body that cannot be taken
            body = await _body(request)
            content_type = request.headers.get("content-type", "")
            arguments = body, content_type, codec.header(RECORD, topic), max_calls
            small = len(body) < LARGE
            batch = read(*arguments) if small else await asyncio.to_thread(read, *arguments)
            await intake.write(batch)
        except (Problem, HTTPException) as refusal:
            unavailable = isinstance(refusal, Problem) and refusal.status == 503
            CALLS_REFUSED.labels("unavailable" if unavailable else "invalid").inc()
            raise
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        CALLS_ACCEPTED.inc(len(batch))
        return JSONResponse({"accepted": len(batch)}, 202)

    return router


async def _body(request: Request) -> bytes:
    """The body as it was sent. Raises `Problem` 415 before one byte of a wrong kind is read."""
    is_ndjson(request.headers.get("content-type", ""))
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise Problem(
            415,
            "Unsupported Media Type",
            f"The body must not be compressed; it is {encoding[:40]}.",
            headers={"Accept-Encoding": "identity"},
        )
    return await request.body()


def gateway(
    settings: Settings,
    intake: Intake,
    watch: Watch,
    codec: Codec,
    topic: str,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """The application. A request may hold as many calls as may wait for Kafka."""
    app = application(
        "Post Call Action: calls",
        DESCRIPTION,
        admin_key=settings.required_admin_key(),
        ready=lambda: watch.reason,
        max_body_bytes=settings.producer_max_body_bytes,
        lifespan=lifespan,
    )
    app.include_router(calls_router(intake, codec, topic, settings.producer_max_queued))
    _describe_calls(app)
    return app


def _describe_calls(app: FastAPI) -> None:
    """The schema of a call in `/openapi.json`: the route itself reads raw bytes."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        call = Call.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= call.pop("$defs") | {"Call": call}
        return document

    app.openapi = openapi  # type: ignore[method-assign]

"""What the routes of several nouns take and answer in the same way."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AfterValidator, StringConstraints
from starlette.responses import JSONResponse, Response

from console.database import Database
from console.store.entities import Entity
from console.store.operations import etag
from console.store.state import Page
from schemas.call import AccountId as AccountIdText
from schemas.configuration import Id as IdText
from streaming.http_api import KeyedRoute, require_key
from streaming.problems import Problem


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


Store = Annotated[Database, Depends(_database)]
AccountId = Annotated[AccountIdText, Path(description="The account's id.", examples=["acme"])]
EntityId = Annotated[IdText, Path(examples=["crm"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many items at most.")]
After = Annotated[
    str,
    StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$"),
    # A plus that was not percent-encoded arrives as a space; no id holds a space.
    AfterValidator(lambda after: after.replace(" ", "+")),
    Query(description="Only what comes after this id: `next` of the part before."),
]


def router(noun: str) -> APIRouter:
    """A router below /v1 that asks for the key."""
    return APIRouter(
        prefix="/v1", tags=[noun], route_class=KeyedRoute, dependencies=[Depends(require_key)]
    )


def answer(id_: str, entity: Entity, *, created: bool = False) -> Response:
    """200, or 201 for something new, with its ETag."""
    return JSONResponse(
        shown(id_, entity),
        201 if created else 200,
        headers={"ETag": etag(entity.version)},
    )


def shown(id_: str, entity: Entity) -> dict[str, Any]:
    """The stored thing as JSON."""
    return {"id": id_, "version": entity.version, **entity.settings}


def part(page: Page, limit: int) -> Response:
    """The page as JSON; it was asked for with one more than `limit`."""
    items = [shown(id_, entity) for id_, entity in page[:limit]]
    more = len(page) > limit
    return JSONResponse({"items": items, "next": items[-1]["id"] if more else None})


def version_in(if_match: str | None) -> int | None:
    """The version in an If-Match header, quoted or not; None for `*`, which any version matches.

    Raises `Problem` 428 without the header, 400 for what is no version.
    """
    if if_match is None:
        raise Problem(
            428,
            "Precondition Required",
            "Send `If-Match: VERSION` with the version that you have read.",
        )
    text = if_match.strip()
    if text == "*":
        return None
    text = text.removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Problem(400, "Bad Request", "If-Match holds no version; write `If-Match: 7`.")
    return int(text)

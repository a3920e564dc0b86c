"""`/v1/plan`, `/v1/apply`, `/v1/export` and `/v1/republish`: the configuration as a whole."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import Body, Query, Request
from starlette.responses import Response

from console.answers import DOCUMENT_EXAMPLE, OutcomeAnswer, RepublishAnswer
from console.republish import republish
from console.routes.egress import Egress, check_document
from console.routes.requests import Store, router
from console.store import documents
from schemas.call import AccountId
from schemas.configuration import Document
from streaming.problems import problems

routes = router("Documents")
DocumentBody = Annotated[Document, Body(examples=[DOCUMENT_EXAMPLE])]


def _json(value: Any) -> Response:
    # Ten megabytes when an account has 100,000 numbers: not through a model again.
    return Response(orjson.dumps(value), media_type="application/json")


@routes.post("/plan", response_model=OutcomeAnswer)
async def plan(store: Store, egress: Egress, body: DocumentBody) -> Response:
    """What `apply` would change."""
    check_document(egress, body)
    return _json((await documents.plan(store, body)).shown())


@routes.post("/apply", response_model=OutcomeAnswer)
async def apply(store: Store, egress: Egress, body: DocumentBody) -> Response:
    """Make each account exactly as the document says, all in one transaction.

    What such an account has and the document does not mention is deleted. Accounts that the
    document does not mention are left alone.
    """
    check_document(egress, body)
    return _json((await documents.apply(store, body)).shown())


@routes.get(
    "/export",
    response_model=Document,
    responses=problems(
        _404="There is no such account.", _409="A secret is asked for that no key opens."
    ),
)
async def export(
    store: Store,
    account: Annotated[
        list[AccountId] | None, Query(description="These only; may be given more than once.")
    ] = None,
    *,
    secrets: Annotated[
        bool, Query(description="With secrets in the clear, as a backup needs them.")
    ] = False,
) -> Response:
    """The configuration as a document that `apply` takes.

    Secrets are masked as `***`; applied here again, a mask leaves the secret as it is.
    """
    return _json(await documents.export(store, account or [], secrets=secrets))


@routes.post(
    "/republish",
    response_model=RepublishAnswer,
    responses=problems(_503="Kafka does not answer; nothing was done."),
)
async def publish_again(store: Store, request: Request) -> Response:
    """Write everything to the topic again, and delete from it what is not stored here.

    For a topic that was emptied or re-created. Answers what was put into the outbox.
    """
    return _json(await republish(store, request.app.state.settings))

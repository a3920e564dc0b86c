"""What every HTTP API here shares: the bearer key, limits, health, and errors as problems.

`application` makes a FastAPI app in which every error, whoever raises it, is answered as
`application/problem+json`; `require_key` guards its routers.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streaming.problems import (
    COMMON,
    SCHEMA,
    SHOWN_CHARACTERS,
    Problem,
    documented,
    faults_of,
    invalid,
    phrase,
    reason_of,
)

Limit = int | Callable[[str], int]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]

_bearer = HTTPBearer(
    scheme_name="bearer", description="`Authorization: Bearer KEY`", auto_error=False
)


def has_key(request: Request) -> bool:
    """Whether the request carries the app's admin key; takes the same time for any wrong one."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    expected: str = request.app.state.admin_key
    right = hmac.compare_digest(given.strip().encode(), expected.encode())
    return scheme.lower() == "bearer" and right


async def require_key(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
) -> None:
    """FastAPI dependency: 401 without the admin key. (Not async, it would cost a thread.)"""
    check_key(request)


def check_key(request: Request) -> None:
    """Raise `Problem` 401 unless the request carries the admin key."""
    if not has_key(request):
        raise Problem(
            401,
            "Unauthorized",
            "Send the key as `Authorization: Bearer KEY`.",
            headers={"WWW-Authenticate": 'Bearer realm="pca"'},
        )


class KeyedRoute(APIRoute):
    """`APIRouter(route_class=KeyedRoute)`: the key is looked at before the body is read.

    FastAPI reads and parses a body before it runs dependencies, which a stranger could use to make
    the service read large ones. `require_key` still belongs to the router: it is documentation.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def keyed(request: Request) -> Response:
            check_key(request)
            return await handle(request)

        return keyed


class BodyLimit:
    """ASGI middleware: 413 for a larger body, whether its length is announced or not."""

    def __init__(self, app: ASGIApp, limit: Limit) -> None:
        self._app = app
        self._limit = limit if callable(limit) else lambda _: limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > limit:
            await _too_large(limit).response()(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                # FastAPI turns every other exception met while reading a body into a 400.
                raise HTTPException(413, _too_large(limit).detail)
            return message

        await self._app(scope, counted, send)


def _too_large(limit: int) -> Problem:
    return Problem(
        413,
        "Content Too Large",
        f"The body may hold {limit:,} bytes.",
        # What is still on its way is not read, so the connection is of no more use.
        headers={"Connection": "close"},
    )


def application(
    title: str,
    description: str,
    *,
    admin_key: str,
    ready: Callable[[], str | None],
    max_body_bytes: Limit,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """A FastAPI app with problems, the body limit, `/metrics`, `/healthz` and `/readyz`.

    `ready` returns None, or the reason why not (then `/readyz` answers 503). `max_body_bytes` may
    be a function of the path. Nothing asks for the key by itself: give routers
    `dependencies=[Depends(require_key)]`.
    """
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        lifespan=lifespan,
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        # What is answered leaves out what is not set, as what is sent may.
        separate_input_output_schemas=False,
        responses={status: documented(text) for status, text in COMMON.items()},
    )
    app.state.admin_key = admin_key
    app.add_middleware(BodyLimit, limit=max_body_bytes)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_fault)
    _add_health(app, ready)
    _document(app)
    return app


def _add_health(app: FastAPI, ready: Callable[[], str | None]) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        reason = ready()
        if reason is None:
            return PlainTextResponse("ok\n")
        return Problem(503, "Not ready", reason).response()

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _on_problem(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return problem.response()


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = "Content Too Large" if error.status_code == 413 else phrase(error.status_code)
    detail = str(error.detail)
    if error.status_code == 404:
        detail = f"There is nothing at {request.url.path}."
    elif error.status_code == 405:
        detail = f"{request.method} is not possible at {request.url.path}."
    headers = dict(error.headers or {})
    return Problem(error.status_code, title, detail, headers=headers).response()


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    in_body = [fault for fault in faults if fault["loc"][:1] == ("body",)]
    if in_body and not _is_json(request):
        given = request.headers.get("content-type", "none")[:SHOWN_CHARACTERS]
        return Problem(
            415,
            "Unsupported Media Type",
            f"Send JSON with `Content-Type: application/json`; it is {given}.",
            headers={"Accept": "application/json"},
        ).response()
    if any(fault["type"] == "json_invalid" for fault in in_body):
        where = in_body[0]["loc"][-1]
        errors = [{"path": "", "reason": reason_of(in_body[0]), "given": ""}]
        return Problem(
            400, "Malformed JSON", f"The body is no JSON, see position {where}.", errors=errors
        ).response()
    return invalid(faults_of(faults, skip=1)).response()


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


async def _on_fault(_: Request, __: Exception) -> Response:
    # The server logs the exception; a stranger learns nothing from it.
    return Problem(500, "Internal Server Error", "The service failed; its log says why.").response()


def _document(app: FastAPI) -> None:
    """`/openapi.json` with the problem schema in place of FastAPI's own error shape."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = SCHEMA
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]

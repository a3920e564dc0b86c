"""What every HTTP API here shares: problems (RFC 9457), the bearer key, limits, health.

`application` makes a FastAPI app in which every error, whoever raises it, is answered as
`application/problem+json`; `require_key` guards its routers.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Annotated, Any

import pydantic
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"
SHOWN_CHARACTERS = 200
"""How much of a refused value is given back."""
SECRET_FIELDS = frozenset({"api_secret", "password", "secret", "token", "authorization"})
MASK = "***"
Limit = int | Callable[[str], int]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]

_USERINFO = re.compile(r"(?<=://)[^/?#\s'\"]*@")


class Problem(Exception):
    """An answer other than success. `extra` become further members of the JSON object."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra

    def response(self) -> Response:
        """The problem as it is sent. `type` is stable and made from the title."""
        body = {
            "type": _type(self.status, self.title),
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            **self.extra,
        }
        return Response(
            json.dumps(body, ensure_ascii=True),
            self.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def _type(status: int, title: str) -> str:
    if title == _phrase(status):
        return "about:blank"
    return "urn:pca:problem:" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def without_userinfo(text: str) -> str:
    """The text with the user and password of every URL in it masked (D28)."""
    return _USERINFO.sub(MASK + "@", text)


def path_of(location: Sequence[str | int]) -> str:
    """`("parameters", 1, "placeholder")` → `parameters[1].placeholder`."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":  # pydantic's mark that the key itself is at fault
            path += f".{part}" if path else part
    return path


def errors_of(error: pydantic.ValidationError, *prefix: str | int) -> list[dict[str, str]]:
    """What is wrong where: `{path, reason, given}` for each fault, secrets masked.

    `prefix` stands in front of each path, e.g. the index of the record in an array.
    """
    return _faults(error.errors(include_url=False), prefix)


def _faults(
    errors: Sequence[Any], prefix: Sequence[str | int] = (), skip: int = 0
) -> list[dict[str, str]]:
    return [
        {
            "path": path_of((*prefix, *fault["loc"][skip:])),
            "reason": _reason(fault),
            "given": _given(fault),
        }
        for fault in errors
    ]


def _reason(fault: Mapping[str, Any]) -> str:
    # pydantic puts its own words in front of what our validators say.
    reason = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "json_invalid" and "ctx" in fault and fault["ctx"].get("error"):
        reason = f"is no JSON: {fault['ctx']['error']}"
    elif fault["type"] == "extra_forbidden":
        reason = "is not a field that exists here"
    return without_userinfo(reason)


def _given(fault: Mapping[str, Any]) -> str:
    if fault["type"] in ("missing", "json_invalid"):
        return ""
    # A secret is wherever its name stands in the path, not only at the end of it.
    if any(str(part).lower() in SECRET_FIELDS for part in fault["loc"]):
        return MASK
    value = fault["input"]
    if isinstance(value, bytes):
        value = value[: 4 * SHOWN_CHARACTERS].decode("utf-8", "replace")
    if not isinstance(value, str):
        value = json.dumps(masked(value), ensure_ascii=False, default=str)
    value = without_userinfo(value)
    return value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "…"


def masked(value: Any) -> Any:
    """The same JSON value with what stands in `SECRET_FIELDS` masked, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: MASK if str(key).lower() in SECRET_FIELDS else masked(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(inner) for inner in value]
    return value


_bearer = HTTPBearer(
    scheme_name="bearer", description="`Authorization: Bearer KEY`", auto_error=False
)


def has_key(request: Request) -> bool:
    """Whether the request carries the app's admin key; takes the same time for any wrong one."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    expected: str = request.app.state.admin_key
    right = hmac.compare_digest(given.strip().encode(), expected.encode())
    return scheme.lower() == "bearer" and right


def require_key(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
) -> None:
    """FastAPI dependency: 401 without the admin key."""
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
            require_key(request)
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
        responses={status: _documented(text) for status, text in _PROBLEMS.items()},
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
    title = "Content Too Large" if error.status_code == 413 else _phrase(error.status_code)
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
        errors = [{"path": "", "reason": _reason(in_body[0]), "given": ""}]
        return Problem(
            400, "Malformed JSON", f"The body is no JSON, see position {where}.", errors=errors
        ).response()
    return invalid(_faults(faults, skip=1)).response()


def invalid(errors: list[dict[str, str]]) -> Problem:
    """The 422 that lists faults as `errors_of` gives them."""
    many = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    first = errors[0]
    return Problem(
        422,
        "Invalid",
        f"{first['path'] or 'the body'}: {first['reason']}{many}",
        errors=errors[:100],
    )


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


async def _on_fault(_: Request, __: Exception) -> Response:
    # The server logs the exception; a stranger learns nothing from it.
    return Problem(500, "Internal Server Error", "The service failed; its log says why.").response()


_PROBLEMS = {
    400: "The body is no JSON.",
    401: "The bearer key is missing or wrong.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    422: "Something in the request is refused; `errors` says what and where.",
}

_PROBLEM_SCHEMA = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Stable: what a program should look at."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people: what to do."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "reason", "given"],
                "properties": {
                    "path": {"type": "string", "examples": ["parameters[1].placeholder"]},
                    "reason": {"type": "string"},
                    "given": {"type": "string", "description": "Cut at 200 characters."},
                },
            },
        },
    },
    "examples": [
        {
            "type": "urn:pca:problem:invalid",
            "title": "Invalid",
            "status": 422,
            "detail": "method: Input should be 'GET' or 'POST'",
            "errors": [
                {"path": "method", "reason": "Input should be 'GET' or 'POST'", "given": "PUT"}
            ],
        }
    ],
}


def _documented(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def problems(**texts: str) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: `problems(_404="There is no such action.")`."""
    return {int(status.lstrip("_")): _documented(text) for status, text in texts.items()}


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
            schemas["Problem"] = _PROBLEM_SCHEMA
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]

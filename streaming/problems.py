"""Problems (RFC 9457): what is wrong, where, and how it is said to a client.

Secrets never stand in one: neither in what was given nor in a quoted URL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import pydantic
from starlette.responses import Response

from schemas.secret_fields import MASK

MEDIA_TYPE = "application/problem+json"
SHOWN_CHARACTERS = 200
"""How much of a refused value is given back."""
_SECRET_WORDS = frozenset({
    "authorization", "key", "keys", "passphrase", "password", "pem", "secret", "secrets", "token",
    "tokens",
})  # fmt: skip
_SECRET_TEXT = re.compile(r"whs(ec|k)_|PRIVATE KEY")
"""Secrets that show what they are, wherever somebody has put them by mistake."""
_KEY_MARK = "[key]"
"""How pydantic says that the key itself is at fault."""
_USERINFO = re.compile(r"(?<=://)[^/?#\s'\"]*@")
_BEFORE_AT = re.compile(r"(?<=://).*@", re.DOTALL)


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
    if title == phrase(status):
        return "about:blank"
    return "urn:pca:problem:" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def phrase(status: int) -> str:
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
        elif part != _KEY_MARK:
            path += f".{part}" if path else part
    return path


def errors_of(error: pydantic.ValidationError, *prefix: str | int) -> list[dict[str, str]]:
    """What is wrong where: `{path, reason, given}` for each fault, secrets masked.

    `prefix` stands in front of each path, e.g. the index of the record in an array.
    """
    return faults_of(error.errors(include_url=False), prefix)


def faults_of(
    errors: Sequence[Any], prefix: Sequence[str | int] = (), skip: int = 0
) -> list[dict[str, str]]:
    return [
        {
            "path": path_of((*prefix, *fault["loc"][skip:])),
            "reason": reason_of(fault),
            "given": _given(fault),
        }
        for fault in errors
    ]


def reason_of(fault: Mapping[str, Any]) -> str:
    # pydantic puts its own words in front of what our validators say.
    reason = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "json_invalid" and "ctx" in fault and fault["ctx"].get("error"):
        reason = f"is no JSON: {fault['ctx']['error']}"
    elif fault["type"] == "extra_forbidden":
        reason = "is not a field that exists here"
    return without_userinfo(reason)


def _given(fault: Mapping[str, Any]) -> str:
    location = [str(part).lower() for part in fault["loc"] if part != _KEY_MARK]
    value = fault["input"]
    if fault["type"] in ("missing", "json_invalid") or (fault["type"] == "refused" and not value):
        return ""
    # A secret is wherever its name stands in the path, not only at the end of it. Of headers
    # nobody can tell before they are known to be sound.
    if any(map(_is_secret_field, location)):
        return MASK
    if "headers" in location and location[-1] != "name":
        return MASK
    if location and location[-1] == "target_url" and isinstance(value, str):
        value = _without_user(value)
    if isinstance(value, bytes):
        value = value[: 4 * SHOWN_CHARACTERS].decode("utf-8", "replace")
    if not isinstance(value, str):
        value = json.dumps(masked(value), ensure_ascii=False, default=str)
    if _SECRET_TEXT.search(value):
        return MASK
    value = without_userinfo(value)
    return value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "…"


def masked(value: Any) -> Any:
    """The same JSON value with what stands in fields of secrets masked, at any depth."""
    if isinstance(value, Mapping):
        return {key: _masked_field(str(key).lower(), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner) for inner in value]
    return value


def _masked_field(key: str, value: Any) -> Any:
    if _is_secret_field(key) or key == "headers":
        return MASK
    if key == "target_url" and isinstance(value, str):
        return _without_user(value)
    return masked(value)


@lru_cache(maxsize=4096)
def _is_secret_field(name: str) -> bool:
    """Also a name that is nearly right, as `signing_secret` or `client-key`, may hold a secret."""
    return not _SECRET_WORDS.isdisjoint(re.split(r"[^a-z]", name))


def _without_user(url: str) -> str:
    """Whatever stands before the last @ of a refused URL may be a password, well written or not."""
    return _BEFORE_AT.sub(f"{MASK}@", url)


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


COMMON = {
    400: "The body is no JSON.",
    401: "The bearer key is missing or wrong.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    422: "Something in the request is refused; `errors` says what and where.",
}

SCHEMA = {
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
            "detail": "method: Input should be 'GET', 'POST' or 'PUT'",
            "errors": [
                {
                    "path": "method",
                    "reason": "Input should be 'GET', 'POST' or 'PUT'",
                    "given": "PATCH",
                }
            ],
        }
    ],
}


def documented(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def problems(**texts: str) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: `problems(_404="There is no such action.")`."""
    return {int(status.lstrip("_")): documented(text) for status, text in texts.items()}

"""The Attempt record: everything about one try, for the delivery log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from dispatcher.echoes import bytes_without, secrets_of, without
from dispatcher.flight import Flight
from dispatcher.headers import TRY_HEADERS
from dispatcher.outcome import Outcome, fault
from dispatcher.render import Request
from dispatcher.transport import Answer, Trace
from schemas.headers import is_secret
from schemas.released import Record
from schemas.secret_fields import MASK
from streaming.problems import without_userinfo

_API_SECRET = re.compile(r"(?<=api_secret=)[^&\s\"'<>]*")
_API_SECRET_BYTES = re.compile(_API_SECRET.pattern.encode())
_MAX_TEXT = 16 * 1024
_MAX_BODY = 64 * 1024
_MAX_HEADERS = 64
_SHORT = 256


@dataclass
class Try:
    """One try, ended."""

    flight: Flight
    started_at: int
    """Microseconds since 1970."""
    duration_us: int
    request: Request | None
    """None when no request could be made of the dispatch."""
    answer: Answer | None
    """None when no answer came; then `error` says why."""
    trace: Trace
    error: str
    detail: str
    """For people; as `shown` gives it."""
    outcome: Outcome
    endpoint: str
    """What became of the endpoint: a `breaker.Change`, or empty."""


def attempt_record(one: Try) -> Record:
    """The Attempt record of a try. Secrets are masked, also where an answer repeats them."""
    dispatch, request, answer, trace = one.flight.dispatch, one.request, one.answer, one.trace
    answered_headers, answered_body = shown_answer(answer, request)
    return {
        "account_id": dispatch["account_id"],
        "dispatch_id": dispatch["dispatch_id"],
        "action_id": dispatch["action_id"],
        "sid": dispatch["sid"],
        "revision": dispatch["revision"],
        "attempt": dispatch["attempt"],
        "config_version": dispatch["config_version"],
        "action_version": dispatch["action_version"],
        "started_at": one.started_at,
        "duration_us": one.duration_us,
        "dns_us": trace.dns_us,
        "connect_us": trace.connect_us,
        "tls_us": trace.tls_us,
        "first_byte_us": trace.first_byte_us,
        "address": trace.address,
        "method": request.method if request else "",
        "url": shown_url(request.url) if request else "",
        "request_headers": _shown_request(request.headers) if request else {},
        "request_body": _start(request.body) if request and request.body else "",
        "status": answer.status if answer else None,
        "response_headers": answered_headers,
        "response_body": answered_body,
        "outcome": one.outcome.name,
        "error": one.error,
        "error_detail": one.detail,
        "next_at": one.outcome.due_at,
        "fault": fault(one.error),
        "reused": trace.reused,
        "resent": trace.resent,
        "endpoint": one.endpoint,
    }


def shown_answer(answer: Answer | None, request: Request | None) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer, also where they repeat a secret of the request."""
    if answer is None:
        return {}, b""
    headers, body = shown_headers(answer.headers), shown_body(answer.body)
    if request is not None and (secrets := secrets_of(request)):
        headers = {name: without(value, secrets) for name, value in headers.items()}
        body = bytes_without(body, secrets)
    return headers, body


def shown_headers(headers: dict[str, str]) -> dict[str, str]:
    """Headers of an answer with the values of secret ones masked."""
    return dict(
        (_shown_often if len(value) < _SHORT else _shown_header)(name, value)
        for name, value in islice(headers.items(), _MAX_HEADERS)
    )


def _shown_request(headers: dict[str, str]) -> dict[str, str]:
    """The same of a request, whose own headers tell only of the try."""
    return {
        name: value if name in TRY_HEADERS else _shown_often(name, value)[1]
        for name, value in headers.items()
    }


def _shown_header(name: str, value: str) -> tuple[str, str]:
    return shown(name), MASK if is_secret(name) else shown(value)


_shown_often = lru_cache(maxsize=4096)(_shown_header)
"""Most headers are the same in all requests and answers of an endpoint."""


def _start(body: bytes) -> str:
    """The body, or as much as a record has room for: an attempt must never fail by its size."""
    if len(body) <= _MAX_BODY:
        return body.decode("utf-8", "replace")
    return body[:_MAX_BODY].decode("utf-8", "replace") + f"… ({len(body):,} bytes)"


def shown_url(url: str) -> str:
    """The URL without the `api_secret` of Google Analytics."""
    return _API_SECRET.sub(MASK, url) if "api_secret=" in url else url


def shown_body(body: bytes) -> bytes:
    """The same for the bytes of an answer."""
    return _API_SECRET_BYTES.sub(MASK.encode(), body) if b"api_secret=" in body else body


def shown(text: str) -> str:
    """A server may send any bytes, and errors quote them and URLs; a record holds only characters,
    and no secret."""
    text = shown_url(text)
    if "://" in text:
        text = without_userinfo(text)
    text = text[:_MAX_TEXT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()

"""The Attempt record: everything about one try, for the delivery log."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.flight import Flight
from dispatcher.outcome import Outcome
from dispatcher.render import Request
from dispatcher.transport import Answer
from schemas.released import Record

MASKED = "***"
_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
_MAX_TEXT = 16 * 1024


@dataclass(slots=True)
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
    error: str
    detail: str
    """For people; `cleaned`."""
    outcome: Outcome


def attempt_record(one: Try) -> Record:
    """The Attempt record of a try. Secrets in headers are masked."""
    dispatch, request, answer = one.flight.dispatch, one.request, one.answer
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
        "method": request.method if request else "",
        "url": request.url if request else "",
        "request_headers": _masked(request.headers) if request else {},
        "request_body": request.body.decode() if request and request.body else "",
        "status": answer.status if answer else None,
        "response_headers": _masked(answer.headers) if answer else {},
        "response_body": answer.body if answer else b"",
        "outcome": one.outcome.name,
        "error": one.error,
        "error_detail": one.detail,
        "next_at": one.outcome.due_at,
    }


def _masked(headers: dict[str, str]) -> dict[str, str]:
    return {
        cleaned(name): MASKED if name.lower() in _SECRET_HEADERS else cleaned(value)
        for name, value in headers.items()
    }


def cleaned(text: str) -> str:
    """A server may send any bytes, and errors quote them; a record holds only characters."""
    return text[:_MAX_TEXT].encode("utf-8", "replace").decode()

"""The Attempt record: everything about one try, for the delivery log."""

from __future__ import annotations

from dispatcher.flight import Flight
from dispatcher.masking import (
    NO_SECRETS,
    Secrets,
    bytes_without,
    shown_body,
    shown_headers,
    shown_url,
    without,
)
from dispatcher.outcome import Outcome, fault
from dispatcher.request import Request
from dispatcher.transport.answer import Answer, Trace
from schemas.released import Record

_MAX_BODY = 64 * 1024


class Try:
    """One try, ended."""

    def __init__(
        self,
        flight: Flight,
        started_at: int,
        duration_us: int,
        request: Request | None,
        answer: Answer | None,
        trace: Trace,
        error: str,
        detail: str,
        outcome: Outcome,
        endpoint: str,
    ) -> None:
        self.flight = flight
        self.started_at = started_at
        """Microseconds since 1970."""
        self.duration_us = duration_us
        self.request = request
        """None when no request could be made of the dispatch."""
        self.answer = answer
        """None when no answer came; then `error` says why."""
        self.trace = trace
        self.error = error
        self.detail = detail
        """For people; as `masking.shown` gives it."""
        self.outcome = outcome
        self.endpoint = endpoint
        """What became of the endpoint: a `breaker.Change`, or empty."""


def attempt_record(one: Try) -> Record:
    """The Attempt record of a try. Secrets are masked, also where an answer repeats them."""
    dispatch, request, answer, trace = one.flight.dispatch, one.request, one.answer, one.trace
    secrets = NO_SECRETS if request is None else request.secrets
    answered_headers, answered_body = shown_answer(answer, secrets)
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
        "request_headers": secrets.shown(request.headers) if request else {},
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


def shown_answer(answer: Answer | None, secrets: Secrets) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer, also where they repeat a secret of the request."""
    if answer is None:
        return {}, b""
    headers, body = shown_headers(answer.headers), shown_body(answer.body)
    if secrets.texts:
        headers = {name: without(value, secrets.texts) for name, value in headers.items()}
        body = bytes_without(body, secrets.texts)
    return headers, body


def _start(body: bytes) -> str:
    """The body, or as much as a record has room for: an attempt must never fail by its size."""
    if len(body) <= _MAX_BODY:
        return body.decode("utf-8", "replace")
    return body[:_MAX_BODY].decode("utf-8", "replace") + f"… ({len(body):,} bytes)"

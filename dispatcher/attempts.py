"""The Attempt record: everything about one try, for the delivery log."""

from __future__ import annotations

from dispatcher.flight import Flight
from dispatcher.masking import bytes_without, shown_body, shown_headers, shown_url, without
from dispatcher.outcome import Outcome, fault
from dispatcher.request import OutlinedRequest, Request
from dispatcher.transport.answer import Answer, Trace
from schemas.binary import Writer

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


def attempt(one: Try, header: bytes) -> bytes:
    """The Attempt record of a try, behind `header`, its fields in the schema's order. Secrets are
    masked, also where an answer repeats them."""
    heading, request, answer, trace = one.flight.heading, one.request, one.answer, one.trace
    out = Writer(header)
    # The same fields as those of the dispatch, but for the first two, which change places.
    data = heading.data
    out.raw(data[heading.id_end : heading.account_end])
    out.raw(data[heading.start : heading.id_end])
    out.raw(data[heading.account_end : heading.versions_end])
    out.number(one.started_at)
    out.number(one.duration_us)
    out.number_or_null(trace.dns_us)
    out.number_or_null(trace.connect_us)
    out.number_or_null(trace.tls_us)
    out.number_or_null(trace.first_byte_us)
    out.text(trace.address)
    secrets: list[str] = []
    if request is None:
        out.text("")  # method
        out.text("")  # url
        out.end()  # request_headers
        out.text("")  # request_body
    else:
        out.text(request.method)
        if isinstance(request, OutlinedRequest):
            _outlined(out, request)
        else:
            out.text(shown_url(request.url))
            out.texts(request.own_headers)
        out.raw(request.shared.shown_block)
        out.end()
        out.text(_start(request.body) if request.body else "")
        secrets = request.shared.secrets
    out.number_or_null(None if answer is None else answer.status)
    _answered(out, answer, secrets)
    out.text(one.outcome.name)
    out.text(one.error)
    out.text(one.detail)
    out.number_or_null(one.outcome.due_at)
    out.text(fault(one.error))
    out.flag(trace.reused)
    out.flag(trace.resent)
    out.text(one.endpoint)
    return out.getvalue()


def _outlined(out: Writer, request: OutlinedRequest) -> None:
    """URL and own headers of an action's request."""
    start, filled = request.outline.start, request.filled
    if not filled or b"api_secret=" in start or b"api_secret=" in filled:
        out.text(shown_url(request.url))
    else:
        out.number(len(start) + len(filled))
        out.raw(start)
        out.raw(filled)
    request.tried.block(out)


def _answered(out: Writer, answer: Answer | None, secrets: list[str]) -> None:
    """Headers and body of an answer. What is shown of headers that are known is worked out once."""
    known = None if answer is None or secrets else answer.known
    if answer is None or known is None:
        headers, body = shown_answer(answer, secrets)
        out.texts(headers)
    else:
        if not known.shown:
            block = Writer()
            block.texts(shown_headers(known.headers))
            known.shown = block.getvalue()
        out.raw(known.shown)
        body = shown_body(answer.body)
    out.end()
    out.piece(body)


def shown_answer(answer: Answer | None, secrets: list[str]) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer, without `secrets` of the request where they repeat them."""
    if answer is None:
        return {}, b""
    headers, body = shown_headers(answer.headers), shown_body(answer.body)
    if secrets:
        headers = {name: without(value, secrets) for name, value in headers.items()}
        body = bytes_without(body, secrets)
    return headers, body


def _start(body: bytes) -> str:
    """The body, or as much as a record has room for: an attempt must never fail by its size."""
    if len(body) <= _MAX_BODY:
        return body.decode("utf-8", "replace")
    return body[:_MAX_BODY].decode("utf-8", "replace") + f"… ({len(body):,} bytes)"

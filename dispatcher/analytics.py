"""From a dispatch to its event for Google Analytics 4, by the Measurement Protocol.

One event a call. What an action always sends is worked out once, in `compile_event`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from dispatcher.form import encoded
from dispatcher.headers import USER_AGENT
from dispatcher.parameters import Parameter, dynamic_parameters
from dispatcher.request import Request, Unsendable
from dispatcher.shared_headers import SharedHeaders
from dispatcher.utf8 import utf8
from schemas.layouts import Layout
from schemas.placeholders import Kind
from schemas.released import Record, current

COLLECT = "/mp/collect"
VALIDATE = "/debug/mp/collect"
"""Says what is wrong with an event, and counts none."""
MAX_AGE = 72 * 3600 * 1_000_000
"""Microseconds: Google counts no event that happened longer ago."""
MAX_VALUE = 100
"""Characters of a value; Google would cut it without a mark."""
MAX_BODY = 130_000
"""Bytes."""
_COOKIE_VERSION = re.compile(r"\AGA1\.[0-9-]+\.")

Param = str | int | float


@dataclass(frozen=True, slots=True)
class CompiledEvent:
    """A `google_analytics` action ready to be filled in."""

    url: str
    """With measurement_id and api_secret: never to be shown as it is."""
    name: str
    params: tuple[tuple[str, bool, Callable[[Record], Param]], ...]
    """Name, whether it is left out where empty, and the function that gives the value."""
    shared: SharedHeaders
    call: Layout = current("CallCompleted").layout
    """What is read of a call."""

    def request(self, dispatch: Record, now: int) -> Request:
        """The request for a Dispatch record; `now` in microseconds since 1970.

        Raises `Unsendable`: `no_client_id` and `too_old`, of which nothing is lost, and
        `unrenderable`.
        """
        call = dispatch["call"]
        client_id = _client_id(call["sourcetrak"])
        if not client_id:
            raise Unsendable(
                "no_client_id", "no Google Analytics client id was captured for this call"
            )
        if call["started_at"] < now - MAX_AGE:
            raise Unsendable("too_old", "the call started more than 72 hours ago")
        params = {}
        try:
            for name, omit_empty, value_of in self.params:
                value = value_of(dispatch)
                if value != "" or not omit_empty:
                    params[name] = value
        except Exception as error:  # as in render: one call must not stop the rest
            raise Unsendable("unrenderable", f"a value cannot be written: {error!r}") from error
        event = {
            "client_id": client_id,
            "timestamp_micros": call["started_at"],
            "events": [{"name": self.name, "params": params}],
        }
        body = utf8(json.dumps(event, ensure_ascii=False, separators=(",", ":")))
        if len(body) >= MAX_BODY:
            raise Unsendable(
                "unrenderable", f"the event has {len(body):,} bytes, {MAX_BODY:,} are too many"
            )
        headers = {"webhook-id": dispatch["dispatch_id"]}
        return Request("POST", self.url, headers, body, shared=self.shared)


def compile_event(action: Record, base_url: str, path: str = COLLECT) -> CompiledEvent:
    """Everything about an Action record that is the same for all its events.

    Raises `Unsendable` for an action that this version cannot send.
    """
    settings = action["google_analytics"]
    if settings is None:
        raise Unsendable("unrenderable", "the action has no settings for Google Analytics")
    query = "&".join(
        f"{name}={encoded(settings[name]).decode()}" for name in ("measurement_id", "api_secret")
    )
    chosen = {"parameters": settings["parameters"], "omit_empty": action["omit_empty"]}
    return CompiledEvent(
        url=f"{base_url.rstrip('/')}{path}?{query}",
        name=settings["event_name"],
        params=tuple((p.name, p.omit_empty, _param(p)) for p in dynamic_parameters(chosen)),
        shared=SharedHeaders(
            {"User-Agent": USER_AGENT, "Accept": "*/*", "Content-Type": "application/json"}
        ),
    )


def _client_id(sourcetrak: Record | None) -> str:
    """Of the visitor, without the version that its cookie has in front; empty for none."""
    captured: str = sourcetrak["google_ua_client_id"] if sourcetrak else ""
    return _COOKIE_VERSION.sub("", captured.strip()) if captured else ""


def _param(parameter: Parameter) -> Callable[[Record], Param]:
    """A number where the catalogue calls it one, for only numbers can be metrics."""
    text = parameter.value
    number = _NUMBERS.get(parameter.kind)
    if number is None:
        return lambda d: _cut(text(d))
    return lambda d: number(value) if (value := text(d)) else ""


_NUMBERS: dict[Kind, Callable[[str], int | float]] = {"integer": int, "decimal": float}


def _cut(text: str) -> str:
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"

"""A dispatch on its way: read from Kafka, and written back with what became of it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fastavro

from dispatcher.analytics import CompiledEvent, compile_event
from dispatcher.render import CompiledAction, compile_action
from dispatcher.request import Request, Unsendable
from schemas.codec import Codec, Undecodable, decode_body
from schemas.configuration import action_key
from schemas.released import Record, Schema, current
from streaming.offsets import OffsetTracker

MAX_BODY = 4 * 1024 * 1024
"""Bytes. A call has at most half a megabyte, but an action may ask for it many times over."""
_MAX_COMPILED = 50_000

Compiled = CompiledAction | CompiledEvent


@dataclass(slots=True)
class Flight:
    """One dispatch in hand."""

    tracker: OffsetTracker
    offset: int
    dispatch: Record
    """The Dispatch record without its action."""
    action: Compiled | Unsendable
    rest: bytes
    """The call's and the action's bytes, current release, to be carried along untouched."""

    def request(self, now: int) -> Request:
        """What is to be sent; `now` in microseconds since 1970. Raises `Unsendable`."""
        if isinstance(self.action, Unsendable):
            raise self.action
        if isinstance(self.action, CompiledEvent):
            return self.action.request(self.dispatch, now)
        request = self.action.request(self.dispatch)
        if request.body is not None and len(request.body) > MAX_BODY:
            raise Unsendable(
                "too_large", f"the body has {len(request.body):,} bytes, {MAX_BODY:,} may be sent"
            )
        return request

    @property
    def weight(self) -> int:
        """Bytes of memory, roughly: the record as it came and as it was read."""
        return 4096 + 2 * len(self.rest)

    @property
    def key(self) -> str:
        """Of the action, in Kafka and among the lanes."""
        return action_key(self.dispatch["account_id"], self.dispatch["action_id"])

    @property
    def due_at(self) -> int | None:
        """Microseconds since 1970; None for at once."""
        due_at: int | None = self.dispatch["due_at"]
        return due_at


class FlightReader:
    """Turns records of the dispatch and retry topics into flights; compiles each action once."""

    def __init__(self, codec: Codec, google_analytics_url: str) -> None:
        self._codec = codec
        self._google_analytics_url = google_analytics_url
        self._schema = current("Dispatch")
        self._head = self._schema.up_to("failure")
        self._call = current("CallCompleted")
        self._action = current("Action")
        self._compiled: dict[bytes, Compiled | Unsendable] = {}

    def read(self, tracker: OffsetTracker, offset: int, value: bytes | None) -> Flight:
        """Raises `Undecodable` for what is no Dispatch."""
        writer, start = self._codec.split(value, "Dispatch")
        assert value is not None
        if writer is self._schema:
            return self._read(tracker, offset, value, start)
        return self._read(tracker, offset, self._brought_up_to_date(value, start, writer), 0)

    def _read(self, tracker: OffsetTracker, offset: int, data: bytes, start: int) -> Flight:
        # Head and call are read, and what is left is the action: its bytes are the key under
        # which it was compiled, so it is not even decoded again.
        source = io.BytesIO(data)
        source.seek(start)
        try:
            dispatch: Any = fastavro.schemaless_reader(source, self._head, None)
            split = source.tell()
            dispatch["call"] = fastavro.schemaless_reader(source, self._call.parsed, None)
        except Exception as error:  # whatever garbage makes fastavro raise, garbage it is
            detail = str(error) or type(error).__name__
            raise Undecodable("malformed", f"not a Dispatch: {detail}") from error
        action = self._compile(data[source.tell() :])
        return Flight(tracker, offset, dispatch, action, data[split:])

    def _brought_up_to_date(self, value: bytes, start: int, writer: Schema) -> bytes:
        return self._schema.encode(decode_body(value, start, writer))

    def _compile(self, body: bytes) -> Compiled | Unsendable:
        known = self._compiled.get(body)
        if known is None:
            try:
                known = compiled(decode_body(body, 0, self._action), self._google_analytics_url)
            except Unsendable as unsendable:
                known = unsendable
            if len(self._compiled) >= _MAX_COMPILED:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[body] = known
        return known


def compiled(action: Record, google_analytics_url: str) -> Compiled:
    """What makes the requests of an Action record. Raises `Unsendable`."""
    if action["option"] == "google_analytics":
        return compile_event(action, google_analytics_url)
    return compile_action(action)


def rewritten(flight: Flight, header: bytes, changes: Mapping[str, Any]) -> bytes:
    """The flight's Dispatch with some of its leading fields changed, ready for a topic."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _HEAD, {**flight.dispatch, **changes})
    return header + out.getvalue() + flight.rest


_HEAD = current("Dispatch").up_to("failure")

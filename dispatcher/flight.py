"""A dispatch on its way: read from Kafka, and written back with what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.analytics import CompiledEvent, compile_event
from dispatcher.lane import EARLY, LATE
from dispatcher.render import CompiledAction, compile_action
from dispatcher.request import Request, Unsendable
from schemas import binary
from schemas.codec import Codec, Undecodable, decode_body
from schemas.configuration import action_key
from schemas.dispatch import HEAD, opened
from schemas.layouts import Layout
from schemas.released import Record, current
from schemas.sealing import Sealer, unopened
from streaming.offsets import OffsetTracker
from streaming.stage import Partition

MAX_BODY = 4 * 1024 * 1024
"""Bytes. A call has at most half a megabyte, but an action may ask for it many times over."""
FOR_EVER = 2**63 - 1
_MAX_READY = 50_000
_NO_KEYS = Sealer(())

Compiled = CompiledAction | CompiledEvent


@dataclass(frozen=True)
class Ready:
    """An action made ready to send, once for all its dispatches."""

    compiled: Compiled | Unsendable
    max_in_flight: int | None
    rate_limit: float | None


class Flight:
    """One dispatch in hand: a `Passenger` of `dispatcher.traffic`."""

    __slots__ = (
        "_call_at", "_call_end", "_value", "action_version", "attempt", "dispatch", "due_at",
        "generation", "hold_until", "key", "kind", "max_in_flight", "offered_at", "offset",
        "rate_limit", "ready", "routed_at", "tracker", "weight",
    )  # fmt: skip

    def __init__(
        self,
        tracker: OffsetTracker,
        offset: int,
        dispatch: Record,
        ready: Ready,
        value: bytes,
        call_at: int,
        call_end: int,
        hold_until: int,
    ) -> None:
        """`dispatch` without call and action: in `value`, of the current release, the call's bytes
        go from `call_at` to `call_end`, and the action's follow. `hold_until` in microseconds since
        1970."""
        self.tracker = tracker
        self.offset = offset
        self.dispatch = dispatch
        self.ready = ready
        self._value = value
        self._call_at = call_at
        self._call_end = call_end
        self.key = action_key(dispatch["account_id"], dispatch["action_id"])
        self.attempt: int = dispatch["attempt"]
        self.kind = EARLY if self.attempt <= 1 else LATE
        self.action_version: int = dispatch["action_version"]
        self.routed_at: int = dispatch["routed_at"]
        self.due_at: int | None = dispatch["due_at"]
        self.hold_until = hold_until
        self.max_in_flight = ready.max_in_flight
        self.rate_limit = ready.rate_limit
        self.offered_at = self.generation = 0
        # Of memory, roughly: the record as it came and as it will be read.
        self.weight = 4096 + 2 * len(value)

    @property
    def group(self) -> Partition:
        """The partition that it was read from."""
        return self.tracker.topic, self.tracker.partition

    def request(self, now: int) -> Request:
        """What is to be sent; `now` in microseconds since 1970. Raises `Unsendable`."""
        compiled = self.ready.compiled
        if isinstance(compiled, Unsendable):
            raise compiled
        dispatch = self._with_call(compiled.call)
        if isinstance(compiled, CompiledEvent):
            return compiled.request(dispatch, now)
        request = compiled.request(dispatch, now)
        if request.body is not None and len(request.body) > MAX_BODY:
            raise Unsendable(
                "too_large", f"the body has {len(request.body):,} bytes, {MAX_BODY:,} may be sent"
            )
        return request

    def _with_call(self, layout: Layout) -> Record:
        """The call is read only now: what is put off or goes round never needs it."""
        if "call" not in self.dispatch:
            try:
                call, end = binary.read(layout, self._value, self._call_at)
            except binary.Malformed as garbled:
                raise Unsendable("unrenderable", f"its call cannot be read: {garbled}") from garbled
            if end != self._call_end:
                detail = f"its call ends {end - self._call_end:+} bytes from where it should"
                raise Unsendable("unrenderable", detail)
            self.dispatch["call"] = call
        return self.dispatch

    def rewritten(self, header: bytes, changes: Mapping[str, Any]) -> bytes:
        """The Dispatch with some of its leading fields changed, ready for a topic."""
        head = binary.write(HEAD, {**self.dispatch, **changes}, header)
        return head + self._value[self._call_at :]


class FlightReader:
    """Turns records of the dispatch and retry topics into flights; compiles each action once."""

    def __init__(self, codec: Codec, google_analytics_url: str, sealer: Sealer = _NO_KEYS) -> None:
        """`sealer` opens the secrets of actions; those that it cannot make them `sealed`."""
        self._codec = codec
        self._google_analytics_url = google_analytics_url
        self._sealer = sealer
        self._ready: dict[bytes, Ready] = {}

    def read(
        self, tracker: OffsetTracker, offset: int, value: bytes | None, hold_until: int = FOR_EVER
    ) -> Flight:
        """Raises `Undecodable` for what is no Dispatch."""
        dispatch, data, call_at = opened(self._codec, value)
        # The call's length stands in the head, and what is left is the action: its bytes are the
        # key under which it was made ready, so it is not even decoded again.
        size: int = dispatch["call_bytes"]
        if not 0 < size < len(data) - call_at:  # from before lengths were written
            try:
                size = binary.end_of(_CALL, data, call_at) - call_at
            except binary.Malformed as error:
                raise Undecodable("malformed", f"not a Dispatch: {error}") from error
            dispatch["call_bytes"] = size
        call_end = call_at + size
        made_ready = self._made_ready(data[call_end:])
        return Flight(tracker, offset, dispatch, made_ready, data, call_at, call_end, hold_until)

    def _made_ready(self, body: bytes) -> Ready:
        known = self._ready.get(body)
        if known is None:
            action = decode_body(body, 0, current("Action"))
            known = ready(action, self._google_analytics_url, self._sealer)
            if len(self._ready) >= _MAX_READY:
                self._ready.pop(next(iter(self._ready)))
            self._ready[body] = known
        return known


def ready(action: Record, google_analytics_url: str, sealer: Sealer = _NO_KEYS) -> Ready:
    """An Action record made ready."""
    try:
        made: Compiled | Unsendable = compiled(_opened(action, sealer), google_analytics_url)
    except Unsendable as unsendable:
        made = unsendable
    return Ready(made, action["max_in_flight"], action["rate_limit"])


def _opened(action: Record, sealer: Sealer) -> Record:
    """The Action record with its secrets in the clear. Raises `Unsendable` rather than leave out a
    credential or a signature."""
    clear: Record = sealer.opened(action)
    if closed := unopened(clear):
        raise Unsendable(
            "sealed",
            f"{', '.join(closed)} of the action cannot be opened here; PCA_SECRET_KEYS must hold"
            " the console's keys",
        )
    return clear


def compiled(action: Record, google_analytics_url: str) -> Compiled:
    """What makes the requests of an Action record. Raises `Unsendable`."""
    if action["option"] == "google_analytics":
        return compile_event(action, google_analytics_url)
    return compile_action(action)


_CALL = current("CallCompleted").layout

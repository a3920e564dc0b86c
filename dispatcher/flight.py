"""A dispatch on its way: read from Kafka, and written back with what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mypy_extensions import i64

from dispatcher.analytics import CompiledEvent, compile_event
from dispatcher.render import CompiledAction, compile_action
from dispatcher.request import Request, Unsendable
from dispatcher.traffic import Passenger
from schemas import binary
from schemas.actions import MAX_IN_FLIGHT, RATE_LIMIT
from schemas.codec import Codec, Undecodable, decode_body
from schemas.configuration import action_key
from schemas.dispatch import HEAD, Heading, heading
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


class Flight(Passenger):
    """One dispatch in hand."""

    def __init__(
        self,
        tracker: OffsetTracker,
        offset: int,
        heading: Heading,
        call_end: int,
        addressed: Addressed,
        hold_until: int,
    ) -> None:
        """In the data of `heading` the call goes from its end to `call_end`, and the action
        follows. `hold_until` in microseconds since 1970."""
        ready = addressed.ready
        super().__init__(
            addressed.key,
            int(heading.attempt),
            int(heading.action_version),
            int(heading.routed_at),
            heading.due_at,
            hold_until,
            ready.max_in_flight,
            ready.rate_limit,
            4096 + 2 * len(heading.data),  # roughly: the record as it came and as it will be read
        )
        self.tracker = tracker
        self.offset = offset
        self.heading = heading
        self.call_end = call_end
        self.ready = ready
        self.account_id = addressed.account_id
        self._dispatch: Record | None = None

    @property
    def group(self) -> Partition:
        """The partition that it was read from."""
        return self.tracker.topic, self.tracker.partition

    @property
    def dispatch(self) -> Record:
        """Its own fields; with the call, once a request had to be made of that."""
        if self._dispatch is None:
            self._dispatch = self.heading.record()
            self._dispatch["call_bytes"] = self.call_end - int(self.heading.end)
        return self._dispatch

    def request(self, now: int) -> Request:
        """What is to be sent; `now` in microseconds since 1970. Raises `Unsendable`."""
        compiled = self.ready.compiled
        if isinstance(compiled, Unsendable):
            raise compiled
        request = self._quick(compiled, now)
        if request is None:
            request = compiled.request(self._with_call(compiled.call), now)
        if request.body is not None and len(request.body) > MAX_BODY:
            raise Unsendable(
                "too_large", f"the body has {len(request.body):,} bytes, {MAX_BODY:,} may be sent"
            )
        return request

    def _quick(self, compiled: Compiled, now: int) -> Request | None:
        """The request from the call's bytes; None where it takes a record, be it to say what is
        wrong with them."""
        if isinstance(compiled, CompiledEvent) or compiled.quick is None:
            return None
        heading = self.heading
        try:
            filled = compiled.quick.fill(heading.data, heading.end, self.call_end, heading)
        except (IndexError, ValueError):
            return None
        return compiled.filled(filled, heading.dispatch_id, heading.attempt, now)

    def _with_call(self, layout: Layout) -> Record:
        """The call is read only now: what is put off or goes round never needs it."""
        dispatch = self.dispatch
        if "call" not in dispatch:
            try:
                call, end = binary.read(layout, self.heading.data, int(self.heading.end))
            except binary.Malformed as garbled:
                raise Unsendable("unrenderable", f"its call cannot be read: {garbled}") from garbled
            if end != self.call_end:
                detail = f"its call ends {end - self.call_end:+} bytes from where it should"
                raise Unsendable("unrenderable", detail)
            dispatch["call"] = call
        return dispatch

    def rewritten(self, header: bytes, changes: Mapping[str, Any]) -> bytes:
        """The Dispatch with some of its leading fields changed, ready for a topic."""
        head = binary.write(HEAD, {**self.dispatch, **changes}, header)
        return head + self.heading.data[self.heading.end :]


class Addressed:
    """An action of an account, as its dispatches carry it."""

    def __init__(self, account_id: str, action_id: str, body: bytes, ready: Ready) -> None:
        """`body`: the Action's bytes."""
        self.account_id = account_id
        self.key = action_key(account_id, action_id)
        self.body = body
        self.ready = ready


class FlightReader:
    """Turns records of the dispatch and retry topics into flights; compiles each action once."""

    def __init__(self, codec: Codec, google_analytics_url: str, sealer: Sealer = _NO_KEYS) -> None:
        """`sealer` opens the secrets of actions; those that it cannot make them `sealed`."""
        self._codec = codec
        self._google_analytics_url = google_analytics_url
        self._sealer = sealer
        self._known: dict[bytes, Addressed] = {}
        """By the bytes of both ids, one behind the other."""
        self._ready: dict[bytes, Ready] = {}
        """By those of the action: accounts and versions may share them."""

    def read(
        self, tracker: OffsetTracker, offset: int, value: bytes | None, hold_until: int = FOR_EVER
    ) -> Flight:
        """Raises `Undecodable` for what is no Dispatch."""
        head = heading(self._codec, value)
        data = head.data
        # The call's length stands in the head, and what is left is the action.
        size = head.call_bytes
        if not 0 < size < len(data) - head.end:  # from before lengths were written
            try:
                size = binary.end_of(_CALL, data, int(head.end)) - head.end
            except binary.Malformed as error:
                raise Undecodable("malformed", f"not a Dispatch: {error}") from error
        call_end = head.end + size
        return Flight(
            tracker, offset, head, int(call_end), self._addressed(head, call_end), hold_until
        )

    def _addressed(self, head: Heading, call_end: i64) -> Addressed:
        """The same object for all dispatches of an action, as long as it is not saved anew."""
        data = head.data
        ids = data[head.id_end : head.action_end]
        known = self._known.get(ids)
        if (
            known is None
            or len(known.body) != len(data) - call_end
            or not data.endswith(known.body)
        ):
            record, body = head.record(), data[call_end:]
            known = Addressed(
                record["account_id"], record["action_id"], body, self._made_ready(body)
            )
            if len(self._known) >= _MAX_READY:
                self._known.pop(next(iter(self._known)))
            self._known[ids] = known
        return known

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
        _check("max_in_flight", action["max_in_flight"], *MAX_IN_FLIGHT)
        _check("rate_limit", action["rate_limit"], *RATE_LIMIT)
        made: Compiled | Unsendable = compiled(_opened(action, sealer), google_analytics_url)
    except Unsendable as unsendable:
        return Ready(unsendable, None, None)
    return Ready(made, action["max_in_flight"], action["rate_limit"])


def _check(name: str, limit: float | None, least: float, most: float) -> None:
    """The console saves no other; by a foreign one a lane would never start, or end the process.
    Raises `Unsendable`."""
    if limit is not None and not least <= limit <= most:
        raise Unsendable(
            "unrenderable", f"{name} of the action is {limit:g}, not {least:g} to {most:g}"
        )


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

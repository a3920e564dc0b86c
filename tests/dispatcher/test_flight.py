"""Dispatches read from Kafka and written back; garbage is refused in one way only."""

import contextlib
import copy
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.flight import FlightReader
from dispatcher.render import Unsendable
from schemas.codec import Codec, Undecodable
from schemas.placeholders import PLACEHOLDERS
from schemas.released import current, parse
from streaming.offsets import OffsetTracker


def test_a_dispatch_is_read_with_its_call_and_its_compiled_action(reader, wire, tracker, dispatch):
    flight = reader.read(tracker(), 5, wire(dispatch({"sid": "s-7"}, attempt=3)))
    read = (flight.offset, flight.attempt, flight.dispatch["sid"])
    assert (*read, flight.ready.compiled.outline.url) == (5, 3, "s-7", "http://example.com/")


def test_the_same_action_is_compiled_once(reader, wire, tracker, dispatch, action):
    one = action("http://once.example/")
    flights = [reader.read(tracker(), n, wire(dispatch(action=one))) for n in range(2)]
    assert flights[0].ready is flights[1].ready


def test_an_action_that_cannot_be_sent_is_still_a_flight(reader, wire, tracker, dispatch, action):
    flight = reader.read(tracker(), 0, wire(dispatch(action=action(method="PATCH"))))
    assert isinstance(flight.ready.compiled, Unsendable)


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_in_flight", -1), ("max_in_flight", 0), ("max_in_flight", 1001), ("rate_limit", 0.0),
     ("rate_limit", -1.0), ("rate_limit", math.inf), ("rate_limit", math.nan)],
)  # fmt: skip
def test_limits_that_no_console_saves_make_an_action_one_that_cannot_be_sent(
    reader, wire, tracker, dispatch, action, field, value
):
    """A lane of such would never start, or divide by nothing, in one process after the other."""
    ready = reader.read(tracker(), 0, wire(dispatch(action=action(**{field: value})))).ready
    assert isinstance(ready.compiled, Unsendable)
    assert str(ready.compiled).startswith(f"{field} of the action is {value:g}, not ")
    assert (ready.max_in_flight, ready.rate_limit) == (None, None)


def test_compiled_actions_are_forgotten_when_there_are_too_many(
    monkeypatch, codec, wire, tracker, dispatch, action
):
    monkeypatch.setattr("dispatcher.flight._MAX_READY", 3)
    reader = FlightReader(codec, "http://google.example")
    for n in range(9):
        reader.read(tracker(), n, wire(dispatch(action=action(f"http://h{n}/"))))
    assert len(reader._ready) == 3


def test_unchanged_a_dispatch_is_written_back_byte_for_byte(
    reader, wire, tracker, dispatch, action
):
    value = wire(dispatch({"lookup": {"city": "Elgin"}}, action(parameters={"a": "sid"}), due_at=7))
    flight = reader.read(tracker(), 0, value)
    assert flight.rewritten(current("Dispatch").header, {}) == value


def test_changes_are_written_and_nothing_else_is_touched(reader, wire, tracker, dispatch, codec):
    failure = {"error": "status", "detail": "d", "status": 500, "failed_at": 9}
    changes = {"attempt": 2, "due_at": 11, "failure": failure}
    flight = reader.read(tracker(), 0, wire(dispatch()))
    written = codec.decode(flight.rewritten(current("Dispatch").header, changes), "Dispatch")
    assert written == dispatch() | changes


def test_a_failure_written_is_read_again(reader, wire, tracker, dispatch):
    failure = {"error": "dns", "detail": "no such host", "status": None, "failed_at": 9}
    flight = reader.read(tracker(), 0, wire(dispatch(failure=failure)))
    assert flight.dispatch["failure"] == failure


@pytest.fixture
def older():
    """A release that had fewer fields, and a codec that knows it."""
    definition = copy.deepcopy(current("Dispatch").definition)
    missing = {"phone_label", "leadflow_enabled", "failure"}
    definition["fields"] = [f for f in definition["fields"] if f["name"] not in missing]
    call = next(f["type"] for f in definition["fields"] if f["name"] == "call")
    call["fields"] = [f for f in call["fields"] if f["name"] not in ("netget_status", "leadflow")]
    schema = parse(json.loads(json.dumps(definition)))
    codec = Codec()
    codec._writers[schema.header] = schema
    return schema, codec


def test_a_dispatch_of_an_older_release_is_read(older, tracker, dispatch):
    schema, codec = older
    value = schema.header + schema.encode(dispatch({"sid": "old"}, attempt=2))
    flight = FlightReader(codec, "http://google.example").read(tracker(), 0, value)
    read = (flight.dispatch["sid"], flight.dispatch["attempt"], flight.ready.compiled.outline.url)
    assert read == ("old", 2, "http://example.com/")


def test_a_dispatch_of_an_older_release_is_written_on_in_the_current_one(older, tracker, dispatch):
    schema, codec = older
    value = schema.header + schema.encode(dispatch({"sid": "old"}))
    flight = FlightReader(codec, "http://google.example").read(tracker(), 0, value)
    written = flight.rewritten(current("Dispatch").header, {"attempt": 2})
    assert Codec().decode(written, "Dispatch")["call"]["sid"] == "old"


def test_a_cut_off_dispatch_of_an_older_release_is_refused(older, tracker, dispatch):
    schema, codec = older
    value = schema.header + schema.encode(dispatch())
    with pytest.raises(Undecodable):
        FlightReader(codec, "http://google.example").read(tracker(), 0, value[:-3])


@pytest.mark.parametrize(
    ("reason", "value"),
    [
        ("null_value", None),
        ("null_value", b""),
        ("not_avro", b"{}"),
        ("unknown_schema", b"\xc3\x01" + b"\x00" * 20),
        ("wrong_record", current("Action").header + b"\x00"),
        ("malformed", current("Dispatch").header),
    ],
)
def test_what_is_no_dispatch_is_refused_with_the_reason(reader, tracker, reason, value):
    with pytest.raises(Undecodable) as refused:
        reader.read(tracker(), 0, value)
    assert refused.value.reason == reason


def test_a_dispatch_cut_off_anywhere_is_refused(reader, wire, tracker, dispatch, action):
    value = wire(dispatch({"lookup": {"city": "Elgin"}}, action(parameters={"a": "sid"})))
    for length in range(len(value)):
        with pytest.raises(Undecodable):
            reader.read(tracker(), 0, value[:length])


def test_bytes_behind_a_dispatch_are_refused(reader, wire, tracker, dispatch):
    with pytest.raises(Undecodable):
        reader.read(tracker(), 0, wire(dispatch()) + b"\x00")


MUTATIONS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6)


@settings(max_examples=400, deadline=None)
@given(MUTATIONS, st.booleans())
def test_a_garbled_dispatch_is_refused_or_can_be_handled_to_the_end(
    reader, wire, dispatch, action, mutations, in_the_action
):
    every = {f"n{n}": placeholder for n, placeholder in enumerate(PLACEHOLDERS)}
    distributed = {"lookup": {"city": "E"}, "distributor": {"name": "S"}, "talk_seconds": 61}
    value = bytearray(wire(dispatch(distributed, action(parameters=every), due_at=7)))
    body = len(current("Action").encode(action(parameters=every))) if in_the_action else 0
    start = len(value) - body if body else 10
    for place, byte in mutations:
        value[start + int(place * (len(value) - 1 - start))] = byte
    try:
        flight = reader.read(OffsetTracker("t", 0), 0, bytes(value))
    except Undecodable:
        return
    flight.rewritten(b"", {"attempt": 2})
    with contextlib.suppress(Unsendable):
        flight.request(0)

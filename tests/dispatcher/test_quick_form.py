"""A form filled in from the bytes of a call is the one that is filled in from its record."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.form import compile_form
from dispatcher.parameters import plain
from dispatcher.quick_form import quick_form
from dispatcher.render import Unsendable, compile_action
from schemas.dispatch import heading
from schemas.placeholders import PLACEHOLDERS
from schemas.released import current

QUICK = [one for one in PLACEHOLDERS.values() if one.id != "all_actions"]
CALL = current("CallCompleted")

TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["", "inbound", "click-to", "+13125550123", "+1312555012", "+1312555012é", "+4930123456", "x y"]
)
SECONDS = st.none() | st.integers(-10, 10_000) | st.integers(-(2**63), 2**63 - 1)
KINDS = {"string": TEXT, "long": st.integers(-(2**50), 2**50)}


def of(schema):
    """Any value of a field's type, as far as forms look at it."""
    if isinstance(schema, list):
        inner = schema[1]
        return SECONDS if inner == "long" else st.none() | of(inner)
    if isinstance(schema, dict):
        if schema["type"] == "record":
            return st.fixed_dictionaries({f["name"]: of(f["type"]) for f in schema["fields"]})
        if schema["type"] == "array":
            return st.lists(TEXT, max_size=3)
        return of(schema["type"])
    return KINDS.get(schema, st.just(False))


FIELDS = [field for field in CALL.definition["fields"] if field["name"] != "leadflow"]
CALLS = st.fixed_dictionaries({field["name"]: of(field["type"]) for field in FIELDS})


@settings(max_examples=300, deadline=None)
@given(
    CALLS,
    st.lists(st.sampled_from(QUICK), min_size=1, max_size=40),
    st.booleans(),
    st.booleans(),
    TEXT,
)
def test_both_make_the_same_of_any_call(codec, wire, dispatch, call, chosen, omit, enabled, label):
    parameters = [plain(one, f"p {n}", omit) for n, one in enumerate(chosen)]
    record = dispatch(call, reverse_lookup_enabled=enabled, phone_label=label)
    head = heading(codec, wire(record))
    form = quick_form(parameters)
    filled = form.fill(head.data, head.end, head.end + head.call_bytes, head)
    assert filled == compile_form(parameters, (), omit)(record)


def test_only_a_list_takes_a_record():
    slow = [one.id for one in PLACEHOLDERS.values() if quick_form([plain(one, "x", False)]) is None]
    assert slow == ["all_actions"]


@pytest.mark.parametrize(
    ("quick", "fields"),
    [
        (True, {"method": "GET"}),
        (True, {"method": "POST"}),
        (False, {"method": "POST", "body": "json"}),
        (False, {"method": "POST", "body": "template", "template": "{{sid}}"}),
        (False, {"include_sourcetrak": True}),
        (False, {"include_leadflow": True}),
    ],
)
def test_forms_without_blocks_are_filled_in_from_bytes(action, quick, fields):
    compiled = compile_action(action(parameters={"a": "sid"}, **fields))
    assert (compiled.quick is not None) is quick


@pytest.fixture
def flight(reader, wire, tracker, dispatch, action):
    """`flight(b"\\xff", sid="??")`: of a call in whose bytes `??` is replaced by those."""

    def build(broken, placeholder, **call):
        one = action("http://h/", parameters={"a": placeholder})
        value = wire(dispatch(call, one)).replace(b"??", broken)
        return reader.read(tracker(), 0, value)

    return build


@pytest.mark.parametrize(
    ("placeholder", "field"),
    [("click_id", "click_id"), ("call_type", "call_type"), ("caller_id", "caller_id")],
)
def test_a_text_that_is_none_is_told_by_its_field(flight, placeholder, field):
    with pytest.raises(Unsendable, match=f"its call cannot be read: {field}: ") as refused:
        flight(b"\xff\xfe", placeholder, **{field: "??"}).request(0)
    assert refused.value.error == "unrenderable"


def test_a_text_that_is_none_and_not_asked_for_harms_nobody(flight):
    assert flight(b"\xff\xfe", "sid", click_id="??").request(0).url == "http://h/?a=s-1"


def test_a_call_of_the_wrong_length_is_refused(reader, wire, tracker, dispatch, action):
    record = dispatch({}, action(parameters={"a": "click_id"}))
    flight = reader.read(tracker(), 0, wire(record))
    flight.call_end -= 40
    with pytest.raises(Unsendable, match=r"its call ends \+40 bytes from where it should"):
        flight.request(0)

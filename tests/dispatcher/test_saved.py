"""What validation lets through when saved, the dispatcher can send, for whatever call."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refused import call_detail

from dispatcher.flight import compiled
from dispatcher.request import Unsendable
from schemas.blocks import NAMED
from schemas.codec import decode_body
from schemas.configuration import Action
from schemas.placeholders import PLACEHOLDERS
from schemas.released import current

GOOGLE = "http://google.example"
NASTY = st.text(st.sampled_from("aZ09-_.~ \t\r\n\0\x7f:;&=+%#?/@{}\"'<>é漢😀\u202e"), max_size=12)
PLACEHOLDER = st.sampled_from([*PLACEHOLDERS, "unknown"])
PARAMETER = st.fixed_dictionaries(
    {"name": NASTY, "placeholder": PLACEHOLDER},
    optional={"transform": st.sampled_from(["mask", "sha256", None]), "omit_empty": st.booleans()},
)
HEADER = st.fixed_dictionaries(
    {"name": st.sampled_from(["X-A", "Accept", "user-agent", "Authorization", "Content-Type", "TE"])
     | NASTY, "value": NASTY}
)  # fmt: skip
TEMPLATE = st.lists(
    st.sampled_from([f"{{{{{name}}}}}" for name in (*NAMED, "unknown", " sid ", "")]) | NASTY,
    max_size=5,
).map("".join)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "target_url": NASTY.map("https://example.com/".__add__)
        | NASTY.map(lambda text: f"http://u{text}@h.example/?a=1"),
        "method": st.sampled_from(["GET", "POST", "PUT"]),
        "parameters": st.lists(PARAMETER, max_size=3),
        "include_sourcetrak": st.booleans(),
        "include_leadflow": st.booleans(),
        "omit_empty": st.booleans(),
        "headers": st.lists(HEADER, max_size=2),
    },
)
BODIES = st.just({}) | st.just({"body": "json", "method": "PUT"}) | st.fixed_dictionaries(
    {"body": st.just("template"), "method": st.just("POST"), "template": TEMPLATE,
     "content_type": st.sampled_from(["text/plain", "application/json", "a/b+xml", "no"])}
)  # fmt: skip
CALL = st.fixed_dictionaries(
    {},
    optional={
        "sid": NASTY, "first_action": NASTY, "caller_id": NASTY, "caller_e164": NASTY,
        "talk_seconds": st.integers(-(2**63), 2**63 - 1),
        "started_at": st.integers(-(2**63), 2**63 - 1),
        "leadflow": st.just({"tag": "t", "source_price_per_call": "x", "cake": {"offer_id": 7}}),
        "sourcetrak": st.just({"pool_type": "ppc", "rank": 9}),
    },
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(fields=FIELDS, body=BODIES, call=CALL)
def test_what_is_saved_can_be_sent(dispatch, fields, body, call):
    try:
        action = Action.model_validate(call_detail(**fields | body))
    except ValueError:
        return
    schema = current("Action")
    record = decode_body(schema.encode(action.to_avro("a", 1)), 0, schema)
    made = compiled(record, GOOGLE)  # raises for what cannot be sent
    everything = dict.fromkeys(
        ["reverse_lookup_enabled", "sourcetrak_enabled", "leadflow_enabled"], True
    )
    request = made.request(dispatch(call, record, **everything), 0)
    assert request.url.isascii()
    assert not re.search(r"[\x00-\x20\x7f]", request.url)
    for name, value in request.headers.items():
        assert not re.search(r"[\r\n\0]", name + value)
    assert all(header.value in request.headers.values() for header in action.headers)
    if action.body == "json":
        assert isinstance(json.loads(request.body), dict)


def test_an_action_of_google_analytics_is_an_event_and_a_call_detail_is_not(action):
    with pytest.raises(Unsendable):
        compiled(action("", option="google_analytics"), GOOGLE)
    assert compiled(action(), GOOGLE).outline.method == "GET"

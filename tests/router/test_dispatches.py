"""The bytes of a dispatch, and its id."""

import io
from uuid import UUID, uuid5

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.calls import routed
from router.dispatches import dispatches
from router.ids import DISPATCH_NAMESPACE, dispatch_id
from router.parts import routing_part
from schemas.codec import decode_body
from schemas.configuration import action_key
from schemas.released import current

NUMBER = "+18005550100"
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.fixture
def dispatched(call):
    """`dispatched(account, sid=…)`: the dispatches of a call, decoded, and their bytes."""

    def build(account, **fields):
        one = routed(call(**{"called_e164": NUMBER} | fields))
        _, written = dispatches(one, account, account.number(one.called_e164), routing_part(7))
        return [(decode_body(data, 0, current("Dispatch")), data) for _, data in written]

    return build


def test_concatenated_bytes_are_what_fastavro_writes_for_the_whole_record(
    given_account, dispatched
):
    account = given_account(leadflow_enabled=True).number(NUMBER, "account_wide", label="L")
    account.action("a", parameters=[{"name": "x", "placeholder": "sid"}])
    ((record, data),) = dispatched(account.known, talk_seconds=61, lookup={"city": "Elgin"})
    plain = io.BytesIO()
    fastavro.schemaless_writer(plain, current("Dispatch").parsed, record)
    assert data == plain.getvalue()


@settings(deadline=None)
@given(sid=TEXT, label=TEXT, talk=st.none() | st.integers(0, 2**31), actions=st.integers(0, 4))
def test_whatever_the_call_holds_concatenation_is_right(
    given_account, call, codec, sid, label, talk, actions
):
    account = given_account().number(NUMBER, "account_wide", label=label)
    for n in range(actions):
        account.action(f"a{n}", name=sid)
    record = call(sid=sid, called_e164=NUMBER, talk_seconds=talk, all_actions=[label, sid])
    known = account.known
    written = dispatches(routed(record), known, known.number(NUMBER), routing_part(7))[1]
    decoded = [decode_body(data, 0, current("Dispatch")) for _, data in written]
    assert [d["call"] for d in decoded] == [record] * actions
    keys = [action_key("acme", d["action"]["action_id"]) for d in decoded]
    assert keys == [key for key, _ in written]
    assert {d["phone_label"] for d in decoded} <= {label}


def test_a_dispatch_stands_behind_the_header_asked_for(given_account, routed_call):
    call, account = routed_call(), given_account().action("a").known
    ((_, plain),) = dispatches(call, account, None, routing_part(7))[1]
    ((_, headed),) = dispatches(call, account, None, routing_part(7), b"header")[1]
    assert headed == b"header" + plain


def test_a_dispatch_carries_the_accounts_features_and_versions(given_account, dispatched):
    account = given_account(reverse_lookup_enabled=True).action("a", version=5).account().known
    ((record, _),) = dispatched(account)
    stamped = {k: record[k] for k in ("config_version", "action_version", "attempt", "routed_at")}
    assert stamped == {"config_version": 2, "action_version": 5, "attempt": 1, "routed_at": 7}


def test_d9_a_dispatch_carries_the_configuration_of_when_it_was_routed(given_account, dispatched):
    given = given_account().action("a", target_url="http://old.example/")
    ((before, _),) = dispatched(given.known)
    ((after, _),) = dispatched(given.action("a", target_url="http://new.example/").known)
    urls = (before["action"]["target_url"], after["action"]["target_url"])
    assert urls == ("http://old.example/", "http://new.example/")


def test_d10_the_same_call_twice_has_the_same_dispatch_id(given_account, dispatched):
    account = given_account().action("a").known
    ((one, _),), ((two, _),) = dispatched(account), dispatched(account)
    assert one["dispatch_id"] == two["dispatch_id"]


def test_d10_the_id_is_the_same_for_ever():
    assert dispatch_id("acme", "s-1", 0, "crm") == "8c7cf5ee-d09c-511c-9ed7-e4f162f3d20f"


@pytest.mark.parametrize(
    "other", [("b", "s", 0, "x"), ("a", "t", 0, "x"), ("a", "s", 1, "x"), ("a", "s", 0, "y")]
)
def test_d10_each_component_makes_another_id(other):
    assert dispatch_id("a", "s", 0, "x") != dispatch_id(*other)


@given(TEXT, TEXT, st.integers(), TEXT)
def test_d10_the_id_is_the_uuid5_of_the_four(account_id, sid, revision, action_id):
    text = f"{account_id}\n{sid}\n{revision}\n{action_id}"
    assert dispatch_id(account_id, sid, revision, action_id) == str(uuid5(DISPATCH_NAMESPACE, text))


def test_d10_the_id_is_a_version_5_uuid():
    assert UUID(dispatch_id("a", "s", 0, "x")).version == 5


IDS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._~-]{0,3}\Z")
SIDS = st.text("ab\n01", max_size=6)
"""A foreign producer may write line breaks into a sid."""
FOURS = st.tuples(IDS, SIDS, st.integers(0, 9), IDS)


@settings(deadline=None)
@given(FOURS, FOURS)
def test_d10_no_sid_makes_the_id_of_another_call(one, other):
    assert (dispatch_id(*one) == dispatch_id(*other)) == (one == other)

"""What "Include SourceTrak / LeadFlow Information" add: complete, in the document's words."""

from __future__ import annotations

import json

import pytest
from example_call import EXAMPLE

from schemas.blocks import BLOCKS, CAKE, LEADFLOW, NAMED, SOURCETRAK
from schemas.call import Call
from schemas.codec import Codec
from schemas.placeholders import PLACEHOLDERS

SOURCETRAK_VALUES = {
    "st_rank": "1",
    "st_search_term": "roof repair",
    "st_referer": "google.com",
    "st_baseuri": "https://example.com/lp",
    "st_activity_keyword": "ppc",
    "st_displayed_timestamp": "2026-07-01 09:58:00",
    "st_ip_address": "203.0.113.9",
    "st_document_title": "Roofs",
    "st_browser": "Firefox",
    "st_os": "Linux",
    "st_ibp_custom": "",
    "st_ibp_unique_id": "",
    "st_pid": "st-1",
    "st_domain_set_id": "3",
    "st_gclid": "Cj0K",
    "st_google_ua_client_id": "123456.7654321",
    "st_pool_name": "Spring",
    "st_location_name": "",
    "st_sourceguard": "0",
    "st_campaign": "spring",
    "st_platform": "adwords",
    "st_url_tag": "utm_x",
}

LEADFLOW_VALUES = {
    "call_date": "2026-07-01 10:03:22",
    "leadflow_set_name": "Roofers",
    "leadflow_id": "lf-2",
    "destination_name": "North",
    "destination_number": "3125550188",
    "source_name": "Web",
    "phone_label": "Yellow pages",
    "source_number": "8005550100",
    "tag": "",
    "caller_id": "3125550123",
    "source_qualified": "1",
    "destination_qualified": "1",
    "rerouted": "0",
    "repeat_source_caller": "0",
    "talk_minutes": "1.1",
    "talk_seconds": "61",
    "total_minutes": "1.6",
    "total_seconds": "95",
    "call_duration": "2",
    "source_price_per_call": "12.50",
    "destination_price_per_call": "",
    "sid": "4f1c0f6e-…",
    "previous_qualified_source_call": "",
    "previous_qualified_destination_call": "",
}

CAKE_VALUES = {"cake_affiliate_id": "41", "cake_offer_id": "7"}


@pytest.fixture
def dispatch(example):
    """`dispatch(leadflow={"tag": "x"})`: what a block sees of the example with some changes."""

    def build(account=None, **changes):
        for name, change in changes.items():
            both = isinstance(change, dict) and isinstance(example[name], dict)
            example[name] = example[name] | change if both else change
        record = Call.model_validate_json(json.dumps(example)).to_avro()
        call = Codec().decode(Codec().encode("CallCompleted", record, "t"), "CallCompleted")
        enabled = {"sourcetrak_enabled": True, "leadflow_enabled": True}
        return {"call": call, "phone_label": ""} | enabled | (account or {})

    return build


def values(block, record):
    assert block.applies(record)
    return {p.id: p.value(record) for p in block.parameters}


@pytest.mark.parametrize(
    ("block", "expected"),
    [(SOURCETRAK, SOURCETRAK_VALUES), (LEADFLOW, LEADFLOW_VALUES), (CAKE, CAKE_VALUES)],
    ids=["SourceTrak", "LeadFlow", "CAKE"],
)
def test_every_value_of_the_documented_example_in_the_documents_order(dispatch, block, expected):
    assert list(values(block, dispatch()).items()) == list(expected.items())


def test_there_are_as_many_as_the_document_has():
    assert [len(block.parameters) for block in BLOCKS] == [22, 24, 2]


def test_d51_with_no_visitor_session_pool_fields_are_filled_and_the_rest_is_empty(dispatch):
    pool = {"pool_id": "p-9", "pool_type": "seo", "pool_name": "Spring", "domain_set_id": "3",
            "sourceguard": True}  # fmt: skip
    record = dispatch(sourcetrak=dict.fromkeys(EXAMPLE["sourcetrak"]) | pool)
    filled = {id_: value for id_, value in values(SOURCETRAK, record).items() if value}
    assert filled == {"st_pool_name": "Spring", "st_domain_set_id": "3", "st_sourceguard": "1"}


@pytest.mark.parametrize("pool_type", ["seo", "ppc"])
def test_d51_calls_through_pools_have_the_block(dispatch, pool_type):
    assert SOURCETRAK.applies(dispatch(sourcetrak={"pool_type": pool_type}))


@pytest.mark.parametrize(
    "changes",
    [
        {"sourcetrak": {"pool_type": "one_to_one"}},
        {"sourcetrak": {"pool_type": None}},
        {"sourcetrak": None},
        {"account": {"sourcetrak_enabled": False}},
    ],
)
def test_d51_other_calls_have_none_of_it(dispatch, changes):
    assert not SOURCETRAK.applies(dispatch(**changes))


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
def test_d54_the_rank_is_never_inverted(dispatch, rank):
    assert values(SOURCETRAK, dispatch(sourcetrak={"rank": rank}))["st_rank"] == str(rank)


@pytest.mark.parametrize(
    ("displayed", "shown"),
    [
        ("2026-03-08T07:00:00Z", "2026-03-08 03:00:00"),
        ("2026-11-01T05:30:00Z", "2026-11-01 01:30:00"),
        ("2026-11-01T06:30:00Z", "2026-11-01 01:30:00"),
        (None, ""),
    ],
)
def test_d57_the_displayed_timestamp_is_eastern_time(dispatch, displayed, shown):
    record = dispatch(sourcetrak={"displayed_at": displayed})
    assert values(SOURCETRAK, record)["st_displayed_timestamp"] == shown


@pytest.mark.parametrize(("given", "shown"), [(True, "1"), (False, "0"), (None, "")])
def test_d47_flags_are_one_or_zero_and_empty_when_unknown(dispatch, given, shown):
    names = ["source_qualified", "destination_qualified", "rerouted", "repeat_source_caller"]
    record = dispatch(sourcetrak={"sourceguard": given}, leadflow=dict.fromkeys(names, given))
    flags = [values(LEADFLOW, record)[name] for name in names]
    assert [*flags, values(SOURCETRAK, record)["st_sourceguard"]] == [shown] * 5


@pytest.mark.parametrize(
    ("given", "shown"),
    [("12.50", "12.50"), ("12.5", "12.50"), (12, "12.00"), ("0", "0.00"), ("0.005", "0.01"),
     ("999999999999999.99", "999999999999999.99"), (None, "")],
)  # fmt: skip
def test_d48_prices_have_two_decimals_and_no_symbol(dispatch, given, shown):
    names = ["source_price_per_call", "destination_price_per_call"]
    found = values(LEADFLOW, dispatch(leadflow=dict.fromkeys(names, given)))
    assert [found[name] for name in names] == [shown, shown]


@pytest.mark.parametrize(
    ("talk", "intelligent", "expected"),
    [
        (61, 61, ("1.1", "61", "2.1", "122", "3")),
        (0, 0, ("0.0", "0", "0.0", "0", "0")),
        (61, None, ("1.1", "61", "1.1", "61", "2")),
        (None, 6, ("", "", "0.1", "6", "1")),
        (None, None, ("", "", "", "", "")),
    ],
)
def test_d43_d44_d45_times_of_leadflow(dispatch, talk, intelligent, expected):
    found = values(LEADFLOW, dispatch(talk_seconds=talk, intelligent_seconds=intelligent))
    names = ("talk_minutes", "talk_seconds", "total_minutes", "total_seconds", "call_duration")
    assert tuple(found[name] for name in names) == expected


@pytest.mark.parametrize(
    ("raw", "shown"),
    [("(312) 555-0188", "3125550188"), ("+442079460123", "442079460123"),
     ("sip:desk@example.com", "sip:desk@example.com"), (None, "")],
)  # fmt: skip
def test_d41_numbers_of_leadflow(dispatch, raw, shown):
    record = dispatch(caller_id=raw, leadflow={"destination_number": raw, "source_number": raw})
    found = values(LEADFLOW, record)
    numbers = [found[name] for name in ("caller_id", "destination_number", "source_number")]
    assert numbers == [shown] * 3


def test_d53_previous_qualified_calls_are_sids(dispatch):
    names = ["previous_qualified_source_call", "previous_qualified_destination_call"]
    found = values(LEADFLOW, dispatch(leadflow=dict.fromkeys(names, "s-0")))
    assert [found[name] for name in names] == ["s-0", "s-0"]


@pytest.mark.parametrize("same", ["sid", "caller_id", "phone_label", "talk_minutes"])
def test_leadflow_sends_the_same_as_the_placeholder(dispatch, same):
    record = dispatch()
    assert values(LEADFLOW, record)[same] == PLACEHOLDERS[same].value(record)


def test_d40_call_date_and_date_time_are_the_same(dispatch):
    record = dispatch(started_at="2026-11-01T06:30:00Z")
    assert values(LEADFLOW, record)["call_date"] == PLACEHOLDERS["date_time"].value(record)


def test_d56_the_phone_label_of_leadflow_is_the_configured_one(dispatch):
    record = dispatch(account={"phone_label": "Billboard"})
    assert values(LEADFLOW, record)["phone_label"] == "Billboard"


def test_d25_of_a_bare_call_leadflow_sends_empty_values_but_for_date_and_sid(dispatch):
    call = {**dict.fromkeys(EXAMPLE), "started_at": EXAMPLE["started_at"], "account_id": "acme",
            "sid": "s-1", "revision": 0, "call_type": "inbound"}  # fmt: skip
    found = values(LEADFLOW, dispatch(**call | {"leadflow": dict.fromkeys(EXAMPLE["leadflow"])}))
    filled = {name: value for name, value in found.items() if value}
    assert filled == {"call_date": "2026-07-01 10:03:22", "sid": "s-1"}


@pytest.mark.parametrize("changes", [{"leadflow": None}, {"account": {"leadflow_enabled": False}}])
def test_d52_without_leadflow_there_is_neither_its_block_nor_cakes(dispatch, changes):
    record = dispatch(**changes)
    assert (LEADFLOW.applies(record), CAKE.applies(record)) == (False, False)


def test_d52_the_cake_pair_is_there_only_where_the_set_has_the_integration(dispatch):
    record = dispatch(leadflow={"cake": None})
    assert (LEADFLOW.applies(record), CAKE.applies(record)) == (True, False)


def test_d52_a_cake_integration_without_ids_has_both_empty(dispatch):
    assert values(CAKE, dispatch(leadflow={"cake": {}})) == dict.fromkeys(CAKE_VALUES, "")


def test_d26_a_cake_id_of_zero_is_a_value(dispatch):
    record = dispatch(leadflow={"cake": {"affiliate_id": 0, "offer_id": None}})
    assert values(CAKE, record) == {"cake_affiliate_id": "0", "cake_offer_id": ""}


def test_d58_texts_stay_as_they_came(dispatch):
    text = " a;b&c=d+e%20f 🦷 كيف "
    texts = {"search_term": text, "document_title": text, "ibp_custom": text}
    record = dispatch(sourcetrak=texts, leadflow={"tag": text, "set_name": text})
    both = values(SOURCETRAK, record) | values(LEADFLOW, record)
    names = [f"st_{name}" for name in texts] + ["tag", "leadflow_set_name"]
    assert [both[name] for name in names] == [text] * 5


def test_every_name_can_stand_in_a_template(dispatch):
    names = {p.id for block in BLOCKS for p in block.parameters} | set(PLACEHOLDERS)
    assert set(NAMED) == names


def test_a_block_that_does_not_apply_is_empty_in_a_template(dispatch):
    record = dispatch(sourcetrak=None, leadflow=None)
    names = [p.id for block in BLOCKS for p in block.parameters if p.id not in PLACEHOLDERS]
    assert {NAMED[name](record) for name in names} == {""}

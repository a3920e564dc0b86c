"""The catalogue of placeholders: complete, in the document's words and order, and never raising."""

from __future__ import annotations

import json
import random

import pytest

from schemas.blocks import BLOCKS
from schemas.call import Call
from schemas.codec import Codec, Undecodable
from schemas.placeholders import PLACEHOLDERS
from schemas.released import current

LABELS = {
    "date_time": "Date/Time",
    "date_time_iso": "Date/Time (ISO 8601)",
    "sid": "SID",
    "call_type": "Call Type",
    "first_action": "First Action",
    "last_action": "Last Action",
    "all_actions": "All Actions",
    "click_description": "Click Description",
    "click_id": "Click ID",
    "called_number": "Called Number",
    "caller_id": "Caller ID",
    "intelligent_minutes": "Intelligent Minutes",
    "talk_minutes": "Talk Minutes",
    "enhanced_minutes": "Enhanced Minutes",
    "rounded_intelligent_minutes": "Rounded Intelligent Minutes",
    "rounded_talk_minutes": "Rounded Talk Minutes",
    "rounded_enhanced_minutes": "Rounded Enhanced Minutes",
    "call_duration": "Call Duration",
    "transfer_type": "Transfer Type",
    "transferred_to_number": "Transferred to Number",
    "phone_label": "Phone Label",
    "lookup_last_name": "Lookup - Last Name",
    "lookup_first_name": "Lookup - First Name",
    "lookup_street_address": "Lookup - Street Address",
    "lookup_city": "Lookup - City",
    "lookup_state": "Lookup - State",
    "lookup_zip_code": "Lookup - ZIP Code",
    "recording_duration": "Recording Duration (seconds)",
    "call_transfer_status": "Call Transfer Status",
    "netget_status": "NetGet Status",
    "call_distributor_name": "Call Distributor Name",
    "call_distributor_id": "Call Distributor ID",
    "call_distributor_call_type": "Call Distributor Call Type (Inbound or Outbound)",
    "call_distributor_agent_name": "Call Distributor Agent Name",
    "call_distributor_agent_id": "Call Distributor Agent ID",
    "call_distributor_time_to_answer": "Call Distributor Time to Answer",
    "call_distributor_queue_hold_time": "Call Distributor Queue Hold Time",
}

VALUES = {
    "date_time": "2026-07-01 10:03:22",
    "date_time_iso": "2026-07-01T10:03:22-04:00",
    "sid": "4f1c0f6e-…",
    "call_type": "Inbound",
    "first_action": "Virtual Receptionist",
    "last_action": "Find Me",
    "all_actions": "Virtual Receptionist|Find Me",
    "click_description": "",
    "click_id": "",
    "called_number": "8005550100",
    "caller_id": "3125550123",
    "intelligent_minutes": "0.6",
    "talk_minutes": "1.1",
    "enhanced_minutes": "1.1",
    "rounded_intelligent_minutes": "1",
    "rounded_talk_minutes": "2",
    "rounded_enhanced_minutes": "2",
    "call_duration": "2",
    "transfer_type": "Virtual Receptionist",
    "transferred_to_number": "3125550188",
    "phone_label": "Yellow pages",
    "lookup_last_name": "Ray",
    "lookup_first_name": "Ada",
    "lookup_street_address": "1 Elm St",
    "lookup_city": "Elgin",
    "lookup_state": "IL",
    "lookup_zip_code": "60120",
    "recording_duration": "61",
    "call_transfer_status": "ANSWER",
    "netget_status": "",
    "call_distributor_name": "Sales",
    "call_distributor_id": "77",
    "call_distributor_call_type": "Inbound",
    "call_distributor_agent_name": "Lee",
    "call_distributor_agent_id": "5",
    "call_distributor_time_to_answer": "12",
    "call_distributor_queue_hold_time": "12",
}


ACCOUNT = {
    "phone_label": "", "reverse_lookup_enabled": True, "sourcetrak_enabled": True,
    "leadflow_enabled": True,
}  # fmt: skip


def dispatch(fields: dict, **others) -> dict:
    """What a placeholder sees of a call, for an account with Reverse Lookup."""
    data = Codec().encode("CallCompleted", Call.model_validate(fields, strict=False).to_avro(), "t")
    call = Codec().decode(data, "CallCompleted")
    return {"call": call} | ACCOUNT | others


def value(placeholder: str, record: dict) -> str:
    return PLACEHOLDERS[placeholder].value(record)


def test_every_placeholder_is_there_once_with_the_documents_label_in_its_order():
    assert [(p.id, p.label) for p in PLACEHOLDERS.values()] == list(LABELS.items())


def test_a_placeholder_is_found_by_its_own_id():
    assert [p.id for p in PLACEHOLDERS.values()] == list(PLACEHOLDERS)


def test_every_value_of_the_documented_example(example):
    record = dispatch(example)
    assert {id_: p.value(record) for id_, p in PLACEHOLDERS.items()} == VALUES


def test_d25_a_call_with_nothing_but_the_required_fields_has_empty_values(call):
    record = dispatch(json.loads(call()))
    filled = {id_ for id_, p in PLACEHOLDERS.items() if p.value(record)}
    assert filled == {"date_time", "date_time_iso", "sid", "call_type"}


@pytest.mark.parametrize(
    ("placeholder", "at_61", "at_0"),
    [
        ("intelligent_minutes", "1.1", "0.0"),
        ("talk_minutes", "1.1", "0.0"),
        ("enhanced_minutes", "1.1", "0.0"),
        ("rounded_intelligent_minutes", "2", "0"),
        ("rounded_talk_minutes", "2", "0"),
        ("rounded_enhanced_minutes", "2", "0"),
        ("recording_duration", "61", "0"),
    ],
)
def test_d26_d43_d44_d55_times_of_61_seconds_of_none_and_not_measured(
    call, placeholder, at_61, at_0
):
    field = {"recording_duration": "recording_seconds"}.get(
        placeholder, placeholder.removeprefix("rounded_").replace("minutes", "seconds")
    )
    values = [
        value(placeholder, dispatch(json.loads(call(**{field: seconds}))))
        for seconds in (61, 0, None)
    ]
    assert values == [at_61, at_0, ""]


@pytest.mark.parametrize(
    ("talk", "intelligent", "shown"),
    [(61, 61, "3"), (61, 0, "2"), (0, 0, "0"), (None, 5, "1"), (None, None, "")],
)
def test_d44_call_duration_rounds_the_sum_once_and_adds_no_enhanced_time(
    call, talk, intelligent, shown
):
    fields = {"talk_seconds": talk, "intelligent_seconds": intelligent, "enhanced_seconds": 600}
    assert value("call_duration", dispatch(json.loads(call(**fields)))) == shown


@pytest.mark.parametrize(
    ("start", "shown", "iso"),
    [
        # 02:00 to 03:00 does not exist on 8 March 2026.
        ("2026-03-08T06:59:59Z", "2026-03-08 01:59:59", "2026-03-08T01:59:59-05:00"),
        ("2026-03-08T07:00:00Z", "2026-03-08 03:00:00", "2026-03-08T03:00:00-04:00"),
        # 01:00 to 02:00 comes twice on 1 November 2026.
        ("2026-11-01T05:59:59Z", "2026-11-01 01:59:59", "2026-11-01T01:59:59-04:00"),
        ("2026-11-01T06:00:00Z", "2026-11-01 01:00:00", "2026-11-01T01:00:00-05:00"),
        ("2026-07-01T16:03:22.9+02:00", "2026-07-01 10:03:22", "2026-07-01T10:03:22-04:00"),
    ],
)
def test_d40_date_and_time_around_the_clock_changes(call, start, shown, iso):
    record = dispatch(json.loads(call(started_at=start)))
    assert (value("date_time", record), value("date_time_iso", record)) == (shown, iso)


NUMBERS = [
    ("+13125550123", "3125550123"),
    ("(312) 555-0123", "3125550123"),
    ("1-312-555-0123", "3125550123"),
    ("+44 20 7946 0123", "442079460123"),
    ("anonymous", "anonymous"),
    ("sip:ada@example.com;transport=tcp", "sip:ada@example.com;transport=tcp"),
    ("312-555-0123 x55", "312-555-0123 x55"),
    ("101", "101"),
    ("", ""),
    (None, ""),
]


@pytest.mark.parametrize("placeholder", ["called_number", "caller_id", "transferred_to_number"])
@pytest.mark.parametrize(("raw", "shown"), NUMBERS)
def test_d41_numbers_at_home_abroad_anonymous_and_of_other_kinds(call, placeholder, raw, shown):
    assert value(placeholder, dispatch(json.loads(call(**{placeholder: raw})))) == shown


@pytest.mark.parametrize(
    ("word", "shown"),
    [("inbound", "Inbound"), ("outbound", "Outbound"), ("click-to", "Click-To"),
     ("Voicemail drop", "Voicemail drop")],
)  # fmt: skip
def test_d42_call_type_is_one_of_three_words_or_the_producers_own(call, word, shown):
    assert value("call_type", dispatch(json.loads(call(call_type=word)))) == shown


@pytest.mark.parametrize(
    ("actions", "joined"),
    [(["A"], "A"), (["A", "B", "A"], "A|B|A"), (["A|B", "C"], "A|B|C"), ([], ""), (None, "")],
)
def test_d46_all_actions_are_joined_by_a_bar(call, actions, joined):
    assert value("all_actions", dispatch(json.loads(call(all_actions=actions)))) == joined


@pytest.mark.parametrize(
    "word", ["ANSWER", "BUSY", "NOANSWER", "CANCEL", "CONGESTION", "CHANUNAVAIL", "own word"]
)
def test_d49_call_transfer_status_is_the_producers_word(call, word):
    record = dispatch(json.loads(call(call_transfer_status=word)))
    assert value("call_transfer_status", record) == word


@pytest.mark.parametrize("placeholder", [id_ for id_ in LABELS if id_.startswith("lookup_")])
def test_d50_lookup_values_are_empty_unless_the_account_has_reverse_lookup(example, placeholder):
    assert value(placeholder, dispatch(example, reverse_lookup_enabled=False)) == ""


@pytest.mark.parametrize(
    ("configured", "own", "shown"),
    [("Billboard", "Yellow pages", "Billboard"), ("", "Yellow pages", "Yellow pages"),
     ("Billboard", None, "Billboard"), ("", None, "")],
)  # fmt: skip
def test_d56_the_numbers_configured_label_comes_before_the_calls_own(call, configured, own, shown):
    record = dispatch(json.loads(call(phone_label=own)), phone_label=configured)
    assert value("phone_label", record) == shown


AS_IT_CAME = [
    " two  spaces \t", "a;b&c=d+e%20f", "🦷 Łukasz", "كيف حالك", "UPPER lower", "\n",
]  # fmt: skip


@pytest.mark.parametrize("text", AS_IT_CAME)
@pytest.mark.parametrize(
    "placeholder",
    ["first_action", "last_action", "click_description", "click_id", "transfer_type",
     "netget_status", "call_transfer_status"],
)  # fmt: skip
def test_d58_texts_stay_as_they_came(call, placeholder, text):
    assert value(placeholder, dispatch(json.loads(call(**{placeholder: text})))) == text


@pytest.mark.parametrize("text", AS_IT_CAME)
def test_d58_names_of_callers_and_agents_stay_as_they_came(call, text):
    fields = {"lookup": {"last_name": text}, "distributor": {"agent_name": text}}
    record = dispatch(json.loads(call(**fields)))
    names = ("lookup_last_name", "call_distributor_agent_name")
    assert [value(name, record) for name in names] == [text, text]


def test_every_value_has_the_kind_that_json_gives_it(example):
    record = dispatch(example)
    for p in PLACEHOLDERS.values():
        text = p.value(record)
        if p.format.kind == "integer":
            assert text == str(int(text))
        elif p.format.kind == "decimal":
            assert text == str(float(text))
        elif p.format.kind == "list":
            assert "|".join(p.items(record)) == text


def test_telephone_numbers_and_only_they_have_an_e164_form(example):
    record = dispatch(example)
    found = {id_: p.e164(record) for id_, p in PLACEHOLDERS.items() if p.e164}
    assert found == {
        "called_number": "+18005550100",
        "caller_id": "+13125550123",
        "transferred_to_number": "+13125550188",
    }


def test_no_decoded_call_makes_a_placeholder_raise(example):
    schema = current("CallCompleted")
    sound = schema.header + schema.encode(Call.model_validate_json(json.dumps(example)).to_avro())
    chance = random.Random(3)
    for _ in range(2000):
        damaged = bytearray(sound)
        for _ in range(3):
            damaged[chance.randrange(10, len(damaged))] ^= 1 << chance.randrange(8)
        try:
            call = Codec().decode(bytes(damaged), "CallCompleted")
        except Undecodable:
            continue
        record = {"call": call} | ACCOUNT
        sent = [*PLACEHOLDERS.values()]
        sent += [p for block in BLOCKS if block.applies(record) for p in block.parameters]
        assert all(isinstance(p.value(record), str) for p in sent)

"""The catalogue of placeholders: complete, in the document's words and order, and never raising."""

from __future__ import annotations

import json
import random

import pytest

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


def dispatch(fields: dict, **others) -> dict:
    """What a placeholder sees of a call, for an account with Reverse Lookup."""
    data = Codec().encode("CallCompleted", Call.model_validate(fields, strict=False).to_avro(), "t")
    call = Codec().decode(data, "CallCompleted")
    return {"call": call, "phone_label": "", "reverse_lookup_enabled": True} | others


def value(placeholder: str, record: dict) -> str:
    return PLACEHOLDERS[placeholder].value(record)


def test_every_placeholder_is_there_once_with_the_documents_label_in_its_order():
    assert [(p.id, p.label) for p in PLACEHOLDERS.values()] == list(LABELS.items())


def test_a_placeholder_is_found_by_its_own_id():
    assert [p.id for p in PLACEHOLDERS.values()] == list(PLACEHOLDERS)


def test_every_value_of_the_documented_example(example):
    record = dispatch(example)
    assert {id_: p.value(record) for id_, p in PLACEHOLDERS.items()} == VALUES


def test_a_call_with_nothing_but_the_required_fields_has_empty_values(call):  # D25
    record = dispatch(json.loads(call()))
    filled = {id_ for id_, p in PLACEHOLDERS.items() if p.value(record)}
    assert filled == {"date_time", "date_time_iso", "sid", "call_type"}


def test_call_duration_rounds_the_sum_once(call):  # D44
    fields = {"talk_seconds": 61, "intelligent_seconds": 61, "enhanced_seconds": 600}
    assert value("call_duration", dispatch(json.loads(call(**fields)))) == "3"


def test_zero_seconds_are_sent_as_zero(call):  # D26
    record = dispatch(json.loads(call(talk_seconds=0)))
    assert value("talk_minutes", record) == "0.0"
    assert value("rounded_talk_minutes", record) == "0"


@pytest.mark.parametrize("placeholder", [id_ for id_ in LABELS if id_.startswith("lookup_")])
def test_lookup_values_are_empty_unless_the_account_has_reverse_lookup(example, placeholder):  # D50
    assert value(placeholder, dispatch(example, reverse_lookup_enabled=False)) == ""


def test_the_numbers_configured_label_comes_before_the_calls_own(example):  # D56
    assert value("phone_label", dispatch(example, phone_label="Billboard")) == "Billboard"


def test_a_word_for_a_blocked_caller_passes_through(call):  # D41
    assert value("caller_id", dispatch(json.loads(call(caller_id="anonymous")))) == "anonymous"


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
        record = {"call": call, "phone_label": "", "reverse_lookup_enabled": True}
        assert all(isinstance(p.value(record), str) for p in PLACEHOLDERS.values())

"""A completed call as JSON: what is accepted, and what is refused and why."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from pydantic import ValidationError

from schemas.call import Call, microseconds, moment
from schemas.codec import Codec
from schemas.released import current


def refusal(text: str) -> tuple[str, str]:
    """Path and message of the one fault of a call."""
    with pytest.raises(ValidationError) as caught:
        Call.model_validate_json(text)
    (error,) = caught.value.errors()
    return ".".join(map(str, error["loc"])), error["msg"]


def record(text: str) -> dict:
    return Call.model_validate_json(text).to_avro()


def test_the_documented_example_is_accepted(example):
    assert Call.model_validate_json(json.dumps(example)).leadflow.cake.affiliate_id == 41


def test_the_documented_example_becomes_a_record_with_every_value(example):
    codec = Codec()
    sent = codec.encode("CallCompleted", record(json.dumps(example)), "t")
    read = codec.decode(sent, "CallCompleted")
    assert read["pool_id"] == "p-9"
    assert read["caller_e164"] == "+13125550123"
    assert read["click_id"] == ""
    assert read["lookup"]["zip_code"] == "60120"
    assert read["distributor"]["queue_hold_seconds"] == 12
    assert read["sourcetrak"]["sourceguard"] is False
    assert read["leadflow"]["source_price_per_call"] == "12.50"
    assert read["leadflow"]["destination_e164"] == "+13125550188"
    assert read["leadflow"]["cake"] == {"affiliate_id": 41, "offer_id": 7}


def test_four_fields_make_a_call(call):
    assert Call.model_validate_json(call()).revision == 0


@pytest.mark.parametrize("field", ["account_id", "sid", "started_at", "call_type"])
def test_a_required_field_cannot_be_missing(call, field):
    fields = json.loads(call())
    del fields[field]
    assert refusal(json.dumps(fields)) == (field, "Field required")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"calld_number": "1"}, "calld_number"),
        ({"lookup": {"zip": "60120"}}, "lookup.zip"),
        ({"leadflow": {"cake": {"offer": 1}}}, "leadflow.cake.offer"),
    ],
)
def test_an_unknown_field_is_refused_with_its_path(call, fields, path):
    assert refusal(call(**fields)) == (path, "Extra inputs are not permitted")


@pytest.mark.parametrize(
    "time",
    [
        "2026-07-01T14:03:22",
        "2026-07-01",
        "1782914602",
        1782914602,
        1782914602.5,
        "2026-07-01T14:03Z",
        "2026-07-01T14:03:22 Z",
        "٢٠٢٦-07-01T14:03:22Z",
        True,
        None,
    ],
)
def test_a_time_without_an_offset_or_in_another_form_is_refused(call, time):
    path, message = refusal(call(started_at=time))
    assert path == "started_at"
    assert "is no RFC 3339 time with an offset; write it as 2026-07-01T14:03:22Z" in message


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"])
def test_a_time_before_1970_is_refused(call, time):
    assert refusal(call(started_at=time))[1].startswith("Input should be greater than or equal to")


def test_a_time_that_no_zone_can_show_is_refused(call):
    assert refusal(call(ended_at="9999-12-31T23:59:59Z"))[1].startswith("Input should be less than")


def test_a_day_that_does_not_exist_is_refused(call):
    assert refusal(call(started_at="2026-02-30T00:00:00Z"))[0] == "started_at"


@pytest.mark.parametrize(
    "time",
    ["2026-07-01T14:03:22.25Z", "2026-07-01T16:03:22.25+02:00", "2026-07-01t14:03:22.250000999z"],
)
def test_times_become_microseconds_in_utc(call, time):
    assert record(call(started_at=time))["started_at"] == 1782914602250000


def test_microseconds_survive_the_way_to_a_time_and_back():
    assert microseconds(moment(1782914602250001)) == 1782914602250001


def test_a_time_given_as_a_datetime_is_accepted(call):
    fields = json.loads(call()) | {"started_at": datetime.fromisoformat("2026-07-01T14:03:22Z")}
    assert Call.model_validate(fields).to_avro()["started_at"] == 1782914602000000


@pytest.mark.parametrize("value", ["61", 61.0, True])
def test_seconds_are_a_number_and_nothing_like_one(call, value):
    assert refusal(call(talk_seconds=value)) == (
        "talk_seconds",
        "Input should be a valid integer",
    )


@pytest.mark.parametrize("value", [-1, 2**31, 10**4000])
def test_seconds_outside_their_range_are_refused(call, value):
    assert refusal(call(talk_seconds=value))[0] == "talk_seconds"


@pytest.mark.parametrize(
    ("price", "text"),
    [("12.50", "12.50"), (12.5, "12.5"), (12, "12"), ("0", "0"), (-0.0, "0"), (1e-7, "0.0000001"),
     (1e17, "100000000000000000")],
)  # fmt: skip
def test_a_price_may_be_text_or_a_number(call, price, text):
    leadflow = record(call(leadflow={"source_price_per_call": price}))["leadflow"]
    assert leadflow["source_price_per_call"] == text


@pytest.mark.parametrize(
    "price",
    ["$12", "12,50", "1e3", " 1", "1_0", "-1", "", "NaN", "1" * 19, True, False, -1, 1e300, [], {}],
)
def test_what_is_no_price_is_refused(call, price):
    path, _ = refusal(call(leadflow={"source_price_per_call": price}))
    assert path == "leadflow.source_price_per_call"


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-Infinity"])
def test_a_price_that_is_not_finite_is_refused(call, price):
    text = call(leadflow={"source_price_per_call": 1.5}).replace("1.5", price)
    assert refusal(text)[0] == "leadflow.source_price_per_call"


@pytest.mark.parametrize("account", ["", "a/b", "-a", "a b", "a" * 65, "ä", "a\n", None, 7])
def test_an_account_id_that_cannot_stand_in_a_key_or_url_is_refused(call, account):
    assert refusal(call(account_id=account))[0] == "account_id"


@pytest.mark.parametrize("sid", ["", "a\nb", "\x00", "\x7f", "s" * 257])
def test_a_sid_that_cannot_stand_in_a_header_is_refused(call, sid):
    assert refusal(call(sid=sid))[0] == "sid"


@pytest.mark.parametrize("rank", [0, 6])
def test_a_rank_goes_from_1_to_5(call, rank):
    assert refusal(call(sourcetrak={"rank": rank}))[0] == "sourcetrak.rank"


def test_a_pool_type_is_one_of_three(call):
    assert "'seo', 'ppc' or 'one_to_one'" in refusal(call(sourcetrak={"pool_type": "sem"}))[1]


def test_absence_null_and_an_empty_block_are_told_apart(call):
    assert "sourcetrak" not in record(call())
    assert "sourcetrak" not in record(call(sourcetrak=None))
    assert record(call(sourcetrak={}))["sourcetrak"] == {}


def test_an_empty_leadflow_block_still_makes_a_record(call):
    encoded = current("CallCompleted").encode(record(call(leadflow={})))
    read = Codec().decode(current("CallCompleted").header + encoded, "CallCompleted")
    assert read["leadflow"]["destination_e164"] == ""


def test_zero_seconds_are_not_the_same_as_none(call):  # D26
    sent = Codec().encode("CallCompleted", record(call(talk_seconds=0)), "t")
    read = Codec().decode(sent, "CallCompleted")
    assert (read["talk_seconds"], read["intelligent_seconds"]) == (0, None)


def test_text_is_kept_as_it_came(call):  # D58
    assert record(call(phone_label="  Gelbe\tSeiten \u0000"))["phone_label"] == "  Gelbe\tSeiten \0"


def test_the_callers_own_words_for_a_blocked_number_are_no_number(call):  # D41
    fields = record(call(caller_id="anonymous"))
    assert (fields["caller_id"], fields["caller_e164"]) == ("anonymous", "")

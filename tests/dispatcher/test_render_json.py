"""`body: json`: typed values, nested blocks."""

from __future__ import annotations

import json

import pytest

from dispatcher.render import compile_action

EMPTY_TEXTS = {"ibp_custom", "ibp_unique_id", "location_name"}


def body(request):
    return request.body.decode()


@pytest.fixture
def posted(render):
    """`posted(call, {"t": "talk_minutes"})`: the JSON text."""
    return lambda call, parameters=None, **fields: body(
        render(call, method="POST", body="json", parameters=parameters or {}, **fields)
    )


def test_parameters_are_flat_by_name_and_in_order(posted, rich):
    parameters = {"z": "call_type", "a": "caller_id", "näme": "last_action"}
    expected = '{"z":"Inbound","a":"3125550123","näme":"Find Me"}'
    assert posted(rich(), parameters) == expected


@pytest.mark.parametrize(
    ("placeholder", "written"),
    [
        ("talk_minutes", "1.1"),
        ("rounded_talk_minutes", "2"),
        ("call_duration", "2"),
        ("recording_duration", "61"),
        ("call_distributor_time_to_answer", "12"),
        ("all_actions", '["Virtual Receptionist","Find Me"]'),
        ("caller_id", '"3125550123"'),
        ("call_distributor_id", '"77"'),
        ("lookup_zip_code", '"60120"'),
        ("date_time", '"2026-07-01 10:03:22"'),
        ("netget_status", "null"),
    ],
)
def test_values_have_their_types(posted, rich, placeholder, written):
    assert posted(rich(), {"x": placeholder}) == f'{{"x":{written}}}'


@pytest.mark.parametrize(("seconds", "written"), [(60, "1.0"), (0, "0.0"), (None, "null")])
def test_d43_decimals_keep_their_digits(posted, seconds, written):
    assert posted({"talk_seconds": seconds}, {"t": "talk_minutes"}) == f'{{"t":{written}}}'


@pytest.mark.parametrize("empty", [[], [""]])
def test_d25_an_empty_list_is_null(posted, empty):
    assert posted({"all_actions": empty}, {"x": "all_actions"}) == '{"x":null}'


def test_d46_a_list_keeps_names_that_hold_a_bar(posted):
    assert posted({"all_actions": ["a|b", 'c"']}, {"x": "all_actions"}) == '{"x":["a|b","c\\""]}'


def test_d25_what_is_empty_can_be_left_out(posted, rich):
    parameters = {
        "a": {"placeholder": "netget_status", "omit_empty": True},
        "b": "netget_status",
        "c": {"placeholder": "all_actions", "omit_empty": True},
    }
    assert posted(rich(all_actions=[]), parameters) == '{"b":null}'
    assert posted(rich(all_actions=[]), parameters, omit_empty=True) == "{}"


def test_blocks_are_nested_objects_with_cake_inside_leadflow(posted, rich):
    text = posted(rich(), {"c": "call_type"}, include_sourcetrak=True, include_leadflow=True)
    sent = json.loads(text)
    assert list(sent) == ["c", "sourcetrak", "leadflow"]
    assert sent["sourcetrak"] == {
        "st_rank": 1, "st_search_term": "roof repair", "st_referer": "google.com",
        "st_baseuri": "https://example.com/lp", "st_activity_keyword": "ppc",
        "st_displayed_timestamp": "2026-07-01 09:58:00", "st_ip_address": "203.0.113.9",
        "st_document_title": "Roofs", "st_browser": "Firefox", "st_os": "Linux",
        "st_ibp_custom": None, "st_ibp_unique_id": None, "st_pid": "st-1",
        "st_domain_set_id": "3", "st_gclid": "Cj0K", "st_google_ua_client_id": "123456.7654321",
        "st_pool_name": "Spring", "st_location_name": None, "st_sourceguard": False,
        "st_campaign": "spring", "st_platform": "adwords", "st_url_tag": "utm_x",
    }  # fmt: skip
    assert sent["leadflow"] == {
        "call_date": "2026-07-01 10:03:22", "leadflow_set_name": "Roofers", "leadflow_id": "lf-2",
        "destination_name": "North", "destination_number": "3125550188", "source_name": "Web",
        "phone_label": "Yellow pages", "source_number": "8005550100", "tag": None,
        "caller_id": "3125550123", "source_qualified": True, "destination_qualified": True,
        "rerouted": False, "repeat_source_caller": False, "talk_minutes": 1.1, "talk_seconds": 61,
        "total_minutes": 1.6, "total_seconds": 95, "call_duration": 2,
        "source_price_per_call": 12.5, "destination_price_per_call": None, "sid": "4f1c0f6e-…",
        "previous_qualified_source_call": None, "previous_qualified_destination_call": None,
        "cake_affiliate_id": 41, "cake_offer_id": 7,
    }  # fmt: skip


def test_d48_prices_keep_their_two_decimals(posted, rich):
    assert '"source_price_per_call":12.50,' in posted(rich(), include_leadflow=True)


def test_d51_d52_blocks_that_do_not_apply_have_no_object(posted, rich):
    call = rich(sourcetrak={"pool_type": "one_to_one"}, leadflow=None)
    assert posted(call, include_sourcetrak=True, include_leadflow=True) == "{}"


def test_d52_leadflow_without_cake_has_no_cake_members(posted, rich):
    text = posted(rich(leadflow={"cake": None}), include_leadflow=True)
    assert len(json.loads(text)["leadflow"]) == 24


def test_omitted_members_of_blocks_are_not_there(posted, rich):
    sent = json.loads(posted(rich(), include_sourcetrak=True, omit_empty=True))["sourcetrak"]
    assert len(sent) == 22 - len(EMPTY_TEXTS)
    assert sent["st_sourceguard"] is False


@pytest.mark.parametrize("text", ['"', "\\", "\n\r\t\0", "🦷", "كيف", "</script>", "\u2028"])
def test_any_text_is_a_json_string(posted, text):
    assert json.loads(posted({"sid": text}, {'"key"\\': "sid"})) == {'"key"\\': text}


def test_d24_a_lone_surrogate_becomes_the_replacement_character(action, dispatch):
    one, record = action(method="POST", body="json", parameters={"s": "sid"}), dispatch()
    record["call"]["sid"] = "a\ud83d"
    assert compile_action(one).request(record, 0).body.decode() == '{"s":"a\ufffd"}'


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_the_content_type_is_json_and_static_parameters_stay_in_the_url(render, method):
    request = render(None, "http://h/?s=1", method=method, body="json")
    sent = (request.url, request.headers["Content-Type"], request.body)
    assert sent == ("http://h/?s=1", "application/json", b"{}")


def test_d23_a_get_has_all_in_the_query_whatever_the_body_says(render, rich):
    request = render(rich(), body="json", parameters={"t": "talk_minutes"})
    assert (request.url, request.body) == ("http://h/?t=1.1", None)
    assert "Content-Type" not in request.headers

"""What including SourceTrak and LeadFlow adds to a request, to the byte."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from schemas.blocks import CAKE, LEADFLOW, SOURCETRAK

BOTH = {"include_sourcetrak": True, "include_leadflow": True}

ST_QUERY = (
    "st_rank=1&st_search_term=roof+repair&st_referer=google.com"
    "&st_baseuri=https%3A%2F%2Fexample.com%2Flp&st_activity_keyword=ppc"
    "&st_displayed_timestamp=2026-07-01+09%3A58%3A00&st_ip_address=203.0.113.9"
    "&st_document_title=Roofs&st_browser=Firefox&st_os=Linux&st_ibp_custom=&st_ibp_unique_id="
    "&st_pid=st-1&st_domain_set_id=3&st_gclid=Cj0K&st_google_ua_client_id=123456.7654321"
    "&st_pool_name=Spring&st_location_name=&st_sourceguard=0&st_campaign=spring"
    "&st_platform=adwords&st_url_tag=utm_x"
)
LEADFLOW_QUERY = (
    "call_date=2026-07-01+10%3A03%3A22&leadflow_set_name=Roofers&leadflow_id=lf-2"
    "&destination_name=North&destination_number=3125550188&source_name=Web"
    "&phone_label=Yellow+pages&source_number=8005550100&tag=&caller_id=3125550123"
    "&source_qualified=1&destination_qualified=1&rerouted=0&repeat_source_caller=0"
    "&talk_minutes=1.1&talk_seconds=61&total_minutes=1.6&total_seconds=95&call_duration=2"
    "&source_price_per_call=12.50&destination_price_per_call=&sid=4f1c0f6e-%E2%80%A6"
    "&previous_qualified_source_call=&previous_qualified_destination_call="
)
CAKE_QUERY = "cake_affiliate_id=41&cake_offer_id=7"


def names(request):
    query = request.body.decode() if request.body else urlsplit(request.url).query
    return [name for name, _ in parse_qsl(query, keep_blank_values=True)]


def ids(*blocks):
    return [p.id for block in blocks for p in block.parameters]


def test_d20_static_dynamic_sourcetrak_leadflow_cake(render, rich):
    parameters = {"when": "date_time_iso", "a": "first_action"}
    request = render(rich(), "http://h/?s=1&t=%7e", parameters=parameters, **BOTH)
    dynamic = "when=2026-07-01T10%3A03%3A22-04%3A00&a=Virtual+Receptionist"
    blocks = f"{ST_QUERY}&{LEADFLOW_QUERY}&{CAKE_QUERY}"
    assert request.url == f"http://h/?s=1&t=%7e&{dynamic}&{blocks}"


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_d22_a_form_carries_the_blocks_and_the_url_the_static_parameters(render, rich, method):
    request = render(rich(), "http://h/?s=1", method=method, parameters={"c": "call_type"}, **BOTH)
    expected = f"c=Inbound&{ST_QUERY}&{LEADFLOW_QUERY}&{CAKE_QUERY}"
    assert (request.method, request.url) == (method, "http://h/?s=1")
    assert request.body == expected.encode()


def test_blocks_alone_join_the_url_cleanly(render, rich):
    request = render(rich(), "http://h/p?", include_sourcetrak=True)
    assert request.url == f"http://h/p?{ST_QUERY}"


def test_blocks_that_are_not_included_are_not_sent(render, rich):
    assert render(rich()).url == "http://h/"


def test_d51_all_22_when_included_enabled_and_through_a_pool(render, rich):
    assert names(render(rich(), include_sourcetrak=True)) == ids(SOURCETRAK)


@pytest.mark.parametrize(
    ("changes", "account"),
    [
        ({"sourcetrak": {"pool_type": "one_to_one"}}, {}),
        ({"sourcetrak": {"pool_type": ""}}, {}),
        ({"sourcetrak": None}, {}),
        ({}, {"sourcetrak_enabled": False}),
    ],
)
def test_d51_none_at_all_for_other_calls_and_accounts(render, rich, changes, account):
    assert names(render(rich(**changes), account=account, **BOTH)) == ids(LEADFLOW, CAKE)


def test_d51_no_visitor_session_pool_fields_filled_the_rest_empty(render):
    pool = {"pool_type": "ppc", "pool_name": "Spring", "domain_set_id": "3", "sourceguard": True}
    url = render({"sourcetrak": pool}, include_sourcetrak=True).url
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    filled = {"st_pool_name": "Spring", "st_domain_set_id": "3", "st_sourceguard": "1"}
    assert pairs == [(name, filled.get(name, "")) for name in ids(SOURCETRAK)]


@pytest.mark.parametrize(
    ("changes", "account"), [({"leadflow": None}, {}), ({}, {"leadflow_enabled": False})]
)
def test_d52_none_of_leadflow_when_it_did_not_process_the_call(render, rich, changes, account):
    assert names(render(rich(**changes), account=account, **BOTH)) == ids(SOURCETRAK)


def test_d52_all_24_without_cake_where_the_set_has_no_integration(render, rich):
    request = render(rich(leadflow={"cake": None}), include_leadflow=True)
    assert names(request) == ids(LEADFLOW)


def test_d25_omit_empty_of_the_action_holds_for_blocks_too(render, rich):
    request = render(rich(), parameters={"n": "netget_status"}, omit_empty=True, **BOTH)
    query = urlsplit(request.url).query
    assert query == "&".join(
        pair
        for pair in f"{ST_QUERY}&{LEADFLOW_QUERY}&{CAKE_QUERY}".split("&")
        if not pair.endswith("=")
    )


def test_d25_omit_empty_of_a_parameter_holds_for_it_alone(render, rich):
    parameters = {
        "a": {"placeholder": "netget_status", "omit_empty": True},
        "b": "netget_status",
        "c": {"placeholder": "call_type", "omit_empty": True},
    }
    request = render(rich(), parameters=parameters, include_leadflow=True)
    assert names(request)[:4] == ["b", "c", "call_date", "leadflow_set_name"]
    assert "tag" in names(request)


def test_d25_nothing_is_left_when_all_is_empty_and_omitted(render):
    parameters = {"a": {"placeholder": "netget_status", "omit_empty": True}}
    assert render(None, "http://h/?s=1", parameters=parameters).url == "http://h/?s=1"
    assert render(None, parameters=parameters, method="POST").body == b""


def test_d26_omitting_empty_values_keeps_zeros(render, rich):
    call = rich(talk_seconds=0, leadflow={"source_qualified": False})
    parameters = {"t": "talk_minutes"}
    sent = names(render(call, parameters=parameters, include_leadflow=True, omit_empty=True))
    assert {"t", "talk_minutes", "talk_seconds", "source_qualified"} <= set(sent)


def test_d33_blocks_count_towards_the_length(render, rich):
    call = rich(sourcetrak={"search_term": "ü" * 1400})
    assert len(render(call, method="POST", include_sourcetrak=True).body) > 8000
    with pytest.raises(ValueError, match="8,000 may be sent"):
        render(call, include_sourcetrak=True)


def test_d56_leadflow_sends_the_label_configured_for_the_number(render, rich):
    request = render(rich(), account={"phone_label": "Billboard"}, include_leadflow=True)
    assert "&phone_label=Billboard&" in request.url

"""`body: template`: values in the customer's own text, escaped for what the text is."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from dispatcher.render import Unsendable, compile_action
from schemas.blocks import NAMED


@pytest.fixture
def filled(render):
    """`filled("{{sid}}", "text/plain", call)`: the body."""
    return lambda template, content_type="text/plain", call=None, **fields: render(
        call, method="POST", body="template", template=template, content_type=content_type, **fields
    ).body.decode()


def test_names_are_replaced_and_all_else_stays(filled, rich):
    text = "{{sid}}{{ caller_id }}{{  talk_minutes\t}} {sid} {{ } }} %s \\ € {{call_type}}!"
    expected = "4f1c0f6e-…31255501231.1 {sid} {{ } }} %s \\ € Inbound!"
    assert filled(text, call=rich()) == expected


def test_every_placeholder_and_block_parameter_can_be_named(filled, rich):
    text = "\n".join(f"{name}={{{{{name}}}}}" for name in NAMED)
    lines = filled(text, call=rich()).split("\n")
    assert [line.partition("=")[0] for line in lines] == list(NAMED)
    values = dict(line.split("=", 1) for line in lines)
    assert (values["st_rank"], values["tag"], values["cake_offer_id"]) == ("1", "", "7")


@pytest.mark.parametrize("name", ["st_pool_name", "leadflow_id", "cake_offer_id", "talk_seconds"])
def test_d51_d52_block_parameters_are_empty_where_the_block_does_not_apply(filled, rich, name):
    call = rich(sourcetrak={"pool_type": "one_to_one"}, leadflow=None)
    assert filled(f"[{{{{{name}}}}}]", call=call) == "[]"


def test_block_parameters_are_empty_where_the_account_has_none(filled, rich):
    account = {"sourcetrak_enabled": False, "leadflow_enabled": False}
    text = "{{st_pool_name}}{{leadflow_id}}{{cake_offer_id}}{{sid}}"
    assert filled(text, call=rich(), account=account) == "4f1c0f6e-…"


NASTY = "a\"b\\c\n<&>'é🦷\t%+ ="


@pytest.mark.parametrize("type_", ["application/json", "Application/JSON; charset=utf-8",
                                   "application/vnd.acme+json", "text/json"])  # fmt: skip
def test_json_values_are_escaped_as_inside_a_string(filled, type_):
    text = filled('{"a":{"s":"{{sid}}"}}', type_, {"sid": NASTY})
    assert json.loads(text) == {"a": {"s": NASTY}}


@pytest.mark.parametrize("type_", ["application/xml", "text/xml", "application/soap+xml"])
def test_xml_values_are_escaped_in_text_and_attributes(filled, type_):
    root = ET.fromstring(filled('<r a="{{sid}}">{{sid}}</r>', type_, {"sid": NASTY}))
    assert (root.get("a"), root.text) == (NASTY, NASTY)


def test_what_xml_cannot_hold_becomes_the_replacement_character(filled):
    assert filled("{{sid}}", "text/xml", {"sid": "a\0\x1b\uffff"}) == "a\ufffd\ufffd\ufffd"


def test_form_values_are_percent_encoded(filled):
    type_ = "application/x-www-form-urlencoded"
    assert filled("x[s]={{sid}}", type_, {"sid": "a b&ü"}) == "x[s]=a+b%26%C3%BC"


@pytest.mark.parametrize("type_", ["text/plain", "text/csv; header=absent", "application/jsonl"])
def test_other_values_stay_as_they_are(filled, type_):
    assert filled("{{sid}}", type_, {"sid": NASTY}) == NASTY


def test_d24_a_lone_surrogate_becomes_the_replacement_character(action, dispatch):
    one = action(method="PUT", body="template", template="{{sid}}", content_type="text/plain")
    record = dispatch()
    record["call"]["sid"] = "a\udc00b"
    assert compile_action(one).request(record, 0).body == "a\ufffdb".encode()


def test_a_value_that_looks_like_a_placeholder_is_not_replaced(filled):
    assert filled("{{sid}}", call={"sid": "{{caller_id}}", "caller_id": "x"}) == "{{caller_id}}"


@pytest.mark.parametrize("name", ["moon_phase", "", " ", "SID", "sid.x", "include_leadflow"])
def test_an_unknown_name_makes_the_action_unsendable(filled, name):
    with pytest.raises(Unsendable) as refused:
        filled(f"a {{{{{name}}}}} b")
    assert refused.value.error == "unrenderable"


def test_the_content_type_is_sent_as_configured(render):
    request = render(method="POST", body="template", template="x", content_type="text/X; a=b")
    assert (request.headers["Content-Type"], request.body) == ("text/X; a=b", b"x")


def test_without_a_content_type_it_is_plain_text(render):
    request = render(method="PUT", body="template", template="x")
    assert request.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_static_parameters_stay_in_the_url(render):
    request = render(None, "http://h/?s=%7e", method="POST", body="template", template="x")
    assert request.url == "http://h/?s=%7e"

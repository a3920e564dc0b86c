"""`transform`: values masked or hashed."""

from __future__ import annotations

import json
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

import pytest

from dispatcher.render import Unsendable, compile_action


@pytest.fixture
def transformed(render):
    """`transformed("mask", "caller_id", {…})`: the value that is sent."""

    def build(transform, placeholder, call):
        parameters = {"x": {"placeholder": placeholder, "transform": transform}}
        url = render(call, parameters=parameters).url
        return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))["x"]

    return build


def hashed(text):
    return sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("value", "masked"),
    [("+13125550123", "****0123"), ("12345", "****2345"), ("1234", "****"), ("1", "****"),
     ("", ""), ("anonymous", "****mous"), ("🦷🦷🦷🦷é", "****🦷🦷🦷é")],
)  # fmt: skip
def test_mask_shows_the_last_four_characters_of_five_or_more(transformed, value, masked):
    call = {"caller_id": value, "caller_e164": value if value[:1] == "+" else ""}
    assert transformed("mask", "caller_id", call) == masked


def test_mask_is_of_what_would_be_shown(transformed, rich):
    assert transformed("mask", "date_time", rich()) == "****3:22"


@pytest.mark.parametrize("raw", ["+13125550123", "(312) 555-0123", "3125550123"])
def test_sha256_of_a_number_is_of_its_e164_form_however_it_was_written(transformed, raw):
    call = {"caller_id": raw, "caller_e164": "+13125550123"}
    assert transformed("sha256", "caller_id", call) == hashed("+13125550123")


@pytest.mark.parametrize("placeholder", ["called_number", "caller_id", "transferred_to_number"])
def test_sha256_of_each_number(transformed, rich, placeholder):
    raw = {"called_number": "+18005550100", "caller_id": "+13125550123"}
    expected = hashed(raw.get(placeholder, "+13125550188"))
    assert transformed("sha256", placeholder, rich()) == expected


@pytest.mark.parametrize("word", ["anonymous", "sip:ada@example.com"])
def test_sha256_of_what_is_no_number_is_of_the_value(transformed, word):
    assert transformed("sha256", "caller_id", {"caller_id": word}) == hashed(word)


def test_sha256_of_other_values_is_of_their_utf8(transformed, rich):
    assert transformed("sha256", "lookup_last_name", rich(lookup={"last_name": "Łukasz 🦷"})) == (
        hashed("Łukasz 🦷")
    )


def test_sha256_is_a_known_one(transformed):
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert transformed("sha256", "sid", {"sid": "abc"}) == known


@pytest.mark.parametrize("transform", ["mask", "sha256"])
def test_d25_empty_stays_empty(transformed, transform):
    assert transformed(transform, "caller_id", {"caller_id": ""}) == ""


def test_d50_a_lookup_that_is_not_enabled_is_not_hashed_either(render, rich):
    parameters = {"x": {"placeholder": "lookup_city", "transform": "sha256"}}
    account = {"reverse_lookup_enabled": False}
    assert render(rich(), parameters=parameters, account=account).url == "http://h/?x="


def test_transformed_values_are_text_in_json(render, rich):
    parameters = {
        "a": {"placeholder": "all_actions", "transform": "mask"},
        "b": {"placeholder": "call_duration", "transform": "mask"},
        "c": {"placeholder": "netget_status", "transform": "sha256"},
    }
    sent = render(rich(), method="POST", body="json", parameters=parameters).body
    assert json.loads(sent) == {"a": "****d Me", "b": "****", "c": None}


def test_transformed_values_are_omitted_where_empty(render):
    parameters = {"x": {"placeholder": "caller_id", "transform": "mask", "omit_empty": True}}
    assert render(None, parameters=parameters).url == "http://h/"


def test_d24_a_lone_surrogate_is_hashed_as_the_replacement_character(action, dispatch):
    one = action(parameters={"x": {"placeholder": "sid", "transform": "sha256"}})
    record = dispatch()
    record["call"]["sid"] = "\ud800"
    assert compile_action(one).request(record, 0).url.endswith(hashed("\ufffd"))


def test_an_unknown_transform_is_unsupported(transformed):
    with pytest.raises(Unsendable) as refused:
        transformed("rot13", "sid", {})
    assert refused.value.error == "unsupported"

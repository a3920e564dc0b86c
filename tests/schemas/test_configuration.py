"""The configuration as JSON and YAML: what is refused, and in which words."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from schemas.codec import decode_body
from schemas.configuration import (
    Account,
    AccountDocument,
    Action,
    ActionDocument,
    Document,
    PoolRouting,
    Routing,
    account_to_avro,
    config_key,
)
from schemas.released import current


def action(**fields) -> dict:
    """A sound action, with the fields given put in place of its own."""
    sound = {"name": "CRM", "scope": "all_calls", "target_url": "https://example.com/handler"}
    return sound | fields


def analytics(**fields) -> dict:
    """A sound Google Analytics action."""
    event = {"measurement_id": "G-ABC123", "api_secret": "s", "event_name": "phone_call"}
    return {"name": "GA", "scope": "all_calls", "option": "google_analytics",
            "google_analytics": event} | fields  # fmt: skip


def refusal(shape: type[BaseModel], fields: dict) -> str:
    """`path: message` of the one fault."""
    with pytest.raises(ValidationError) as caught:
        shape.model_validate(fields)
    (error,) = caught.value.errors()
    return ".".join(map(str, error["loc"])) + ": " + error["msg"].removeprefix("Value error, ")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://example.com/a#b", "holds a fragment (#…), which is never sent"),  # D27
        ("https://example.com/#", "holds a fragment"),  # D27
        ("https://example.com/a\nb", "holds a control character"),  # D29
        ("https://example.com/\x7f", "holds a control character"),  # D29
        ("https://example.com/a b", "holds a space; write 'https://example.com/a%20b'"),  # D29
        (" https://example.com/", "holds a space"),  # D29
        ("ftp://example.com/", "must start with http:// or https://"),
        ("example.com/handler", "must start with http:// or https://"),
        ("javascript:alert(1)", "must start with http:// or https://"),
        ("", "must start with http:// or https://"),
        ("https:///handler", "names no host; write http://example.com/handler"),
        ("https://example.com:port/", "is not a URL: Port could not be cast"),
        ("https://example.com:65536/", "is not a URL: Port out of range"),
        ("https://[::1/", "is not a URL: Invalid IPv6 URL"),
        ("https://example.com/" + "a" * 8000, "String should have at most 8000 characters"),
    ],
)
def test_a_target_url_that_cannot_be_called_is_refused(url, why):
    assert refusal(Action, action(target_url=url)).startswith(f"target_url: {why}")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "HTTPS://EXAMPLE.COM/Sub-Folder/handler.php?client_id=1234",
        "https://user:secret@example.com/?",  # D28, D29
        "https://example.com/?a=1&",  # D29
        "https://bücher.example/",  # D29
        "https://example.com/?a={sid}&b=%tokens%",  # D32
        "http://[::1]:8080/",
        "https://example.com/?q=%20+%zz",  # D21
    ],
)
def test_a_target_url_is_kept_byte_for_byte(url):
    assert Action.model_validate(action(target_url=url)).target_url == url


def parameters(*names: str) -> list[dict]:
    return [{"name": name, "placeholder": "sid"} for name in names]


def test_two_dynamic_parameters_of_one_name_are_refused():  # D30
    fault = refusal(Action, action(parameters=parameters("id", "from", "id")))
    assert fault == ": two dynamic parameters are named 'id'; rename one"


@pytest.mark.parametrize("query", ["id=1", "x=&id", "x=1&id=", "%69d=1"])
def test_a_dynamic_name_equal_to_a_static_one_is_refused(query):  # D30
    fields = action(target_url=f"https://example.com/?{query}", parameters=parameters("id"))
    assert "a static one in target_url are both named 'id'; rename one" in refusal(Action, fields)


def test_names_that_differ_in_case_are_two_names():
    Action.model_validate(action(parameters=parameters("id", "ID")))


def test_an_unknown_placeholder_is_refused_with_all_that_are_allowed():
    fault = refusal(Action, action(parameters=[{"name": "a", "placeholder": "caller"}]))
    assert fault.startswith("parameters.0.placeholder: is no placeholder; allowed are date_time,")


@pytest.mark.parametrize("name", ["", "a\n", "\x00", "a" * 201])
def test_a_parameter_name_that_no_form_can_carry_is_refused(name):
    assert refusal(Action, action(parameters=parameters(name))).startswith("parameters.0.name: ")


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"scope": "some"}, "scope: Input should be 'all_calls' or 'configured_numbers_only'"),
        ({"method": "PATCH"}, "method: Input should be 'GET', 'POST' or 'PUT'"),
        ({"option": "ga"}, "option: Input should be 'call_detail' or 'google_analytics'"),
        ({"active": "yes"}, "active: Input should be a valid boolean"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"name": ""}, "name: String should have at least 1 character"),
        ({"target_url": None}, ": option call_detail needs a target_url"),
        (
            {"google_analytics": analytics()["google_analytics"]},
            ": google_analytics belongs to option google_analytics; leave it out",
        ),
    ],
)
def test_a_wrong_action_is_refused_with_what_is_allowed(fields, fault):
    assert refusal(Action, action(**fields)) == fault


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"google_analytics": None}, ": option google_analytics needs the field google_analytics"),
        (
            {"target_url": "https://example.com/"},
            ": google_analytics replaces target_url; leave it out",
        ),
        (
            {"method": "GET", "parameters": []},
            ": google_analytics replaces method and parameters; leave it out",
        ),
    ],
)
def test_a_wrong_google_analytics_action_is_refused(fields, fault):
    assert refusal(Action, analytics(**fields)) == fault


@pytest.mark.parametrize("measurement_id", ["UA-1234", "g-abc123", "G-", "G-ABC 123"])
def test_a_measurement_id_is_that_of_google_analytics_4(measurement_id):
    fields = analytics()
    fields["google_analytics"] |= {"measurement_id": measurement_id}
    assert refusal(Action, fields).startswith(
        "google_analytics.measurement_id: String should match"
    )


@pytest.mark.parametrize("fields", [action(), action(parameters=parameters("a")), analytics()])
def test_an_action_becomes_a_record(fields):
    record = Action.model_validate(fields).to_avro("a-1", 7)
    assert current("Action").encode(record)
    assert (record["action_id"], record["version"]) == ("a-1", 7)


def test_an_action_of_a_file_becomes_the_same_bytes():
    plain = Action.model_validate(action()).to_avro("a-1", 7)
    of_file = ActionDocument.model_validate(action(id="a-1")).to_avro("a-1", 7)
    assert current("Action").encode(of_file) == current("Action").encode(plain)


@pytest.mark.parametrize("shape", [Routing, PoolRouting])
def test_a_specific_action_must_be_named(shape):
    assert refusal(shape, {"send": "specific"}) == ": send 'specific' needs an action_id"


def test_an_action_id_belongs_to_specific_only():
    fault = refusal(Routing, {"send": "none", "action_id": "a"})
    assert fault == ": action_id belongs to send 'specific', not 'none'; leave it out"


def test_a_number_cannot_inherit_and_a_pool_does_by_default():  # D7
    assert refusal(Routing, {"send": "inherit"}).startswith("send: Input should be 'account_wide'")
    assert PoolRouting().send == "inherit"


def test_a_routing_becomes_a_record():
    encoded = current("Routing").encode(Routing(send="specific", action_id="a").to_avro())
    assert decode_body(encoded, 0, current("Routing")) == {
        "send": "specific", "action_id": "a", "label": ""}  # fmt: skip


def test_an_account_becomes_a_record_without_what_its_file_holds_besides():
    account = AccountDocument.model_validate({"id": "acme", "name": "Acme", "numbers": {}})
    record = account_to_avro(account, "acme", 1)
    assert record == {"name": "Acme", "reverse_lookup_enabled": False, "sourcetrak_enabled": False,
                      "leadflow_enabled": False, "account_id": "acme", "version": 1}  # fmt: skip
    assert record == account_to_avro(Account(name="Acme"), "acme", 1)
    assert current("Account").encode(record)


def test_a_key_is_account_kind_and_id():
    assert config_key("acme", "number", "+18005550100") == b"acme/number/+18005550100"


def account(**fields) -> dict:
    return {"id": "acme", "name": "Acme"} | fields


def test_numbers_of_a_file_become_e164():
    document = AccountDocument.model_validate(account(numbers={"(800) 555-0100": {"label": "x"}}))
    assert list(document.numbers) == ["+18005550100"]


def test_what_is_no_number_is_refused_with_an_example():
    fault = refusal(AccountDocument, account(numbers={"anonymous": {}}))
    assert fault.endswith("is no telephone number; write it as +18005550100")


def test_one_number_written_twice_is_refused():
    twice = {"+18005550100": {"label": "a"}, "800-555-0100": {"label": "b"}}
    fault = refusal(AccountDocument, account(numbers=twice))
    assert fault == "numbers: '+18005550100' and '800-555-0100' are one number; remove one"


def test_two_actions_of_one_id_are_refused():
    fault = refusal(AccountDocument, account(actions=[action(id="a"), action(id="a")]))
    assert fault == "actions: two have the id 'a'; change one"


def test_two_accounts_of_one_id_are_refused():
    fault = refusal(Document, {"accounts": [account(), account()]})
    assert fault == "accounts: two have the id 'acme'; change one"


@pytest.mark.parametrize("id_", ["", "a/b", "a b", "-a", "a" * 65])
def test_an_id_that_cannot_stand_in_a_key_is_refused(id_):
    assert refusal(ActionDocument, action(id=id_)).startswith("id: String should match pattern")


def test_a_label_with_a_control_character_is_refused():
    assert refusal(Routing, {"label": "a\0b"}).startswith("label: String should match pattern")

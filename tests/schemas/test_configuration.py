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


def parameters(*names: str) -> list[dict]:
    return [{"name": name, "placeholder": "sid"} for name in names]


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
    assert refusal(shape, {"send": "specific"}) == (
        "action_id: is missing: send 'specific' needs it"
    )


def test_an_action_id_belongs_to_specific_only():
    fault = refusal(Routing, {"send": "none", "action_id": "a"})
    assert fault == "action_id: belongs to send 'specific', not 'none'; leave it out"


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
    assert fault == "numbers.800-555-0100: is the same number as '+18005550100'; remove one"


def test_two_actions_of_one_id_are_refused():
    fault = refusal(AccountDocument, account(actions=[action(id="a"), action(id="a")]))
    assert fault == "actions.1.id: is the id of another one too; change one"


def test_two_accounts_of_one_id_are_refused():
    fault = refusal(Document, {"accounts": [account(), account()]})
    assert fault == "accounts.1.id: is the id of another one too; change one"


@pytest.mark.parametrize("id_", ["", "a/b", "a b", "-a", "a" * 65])
def test_an_id_that_cannot_stand_in_a_key_is_refused(id_):
    assert refusal(ActionDocument, action(id=id_)).startswith("id: String should match pattern")


def test_a_label_with_a_control_character_is_refused():
    assert refusal(Routing, {"label": "a\0b"}).startswith("label: String should match pattern")

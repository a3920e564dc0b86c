"""Conditions on an action: all of them must be true of a call, after the rules D1 to D11."""

from pathlib import Path

import pytest
from resolved import resolved

from router.resolve import Conditions

NUMBER = "+18005550100"
DOCS = Path(__file__).parents[2] / "docs" / "which-actions-run.md"
BOTH = {"source_qualified": True, "destination_qualified": True}


@pytest.fixture
def decide(given_account, routed_call):
    """`decide({"tags": ["x"]}, talk_seconds=5)`: the decision on the one action, as stored."""

    def build(conditions, active=True, number=None, **fields):
        account = given_account().action("a", conditions=conditions, active=active)
        if number:
            account.number(NUMBER, *number)
        one = routed_call(**{"called_e164": NUMBER} | fields)
        (decision,) = resolved(one, account.known).decisions
        return decision

    return build


MET = [
    ({"minimum_talk_seconds": 60}, {"talk_seconds": 60}),
    ({"minimum_talk_seconds": 0}, {"talk_seconds": None}),
    ({"call_types": ["inbound"]}, {"call_type": "inbound"}),
    ({"call_types": ["Inbound"]}, {"call_type": "inbound"}),
    ({"call_types": ["outbound", "click-to"]}, {"call_type": "Click-To"}),
    ({"call_types": ["RING back"]}, {"call_type": "ring BACK"}),
    ({"qualified": "source"}, {"leadflow": {"source_qualified": True}}),
    ({"qualified": "destination"}, {"leadflow": {"destination_qualified": True}}),
    ({"qualified": "both"}, {"leadflow": BOTH}),
    ({"pool_ids": ["p-8", "p-9"]}, {"pool_id": "p-9"}),
    ({"tags": ["gold", "tin"]}, {"leadflow": {"tag": "gold"}}),
    ({}, {}),
]
UNMET = [
    ({"minimum_talk_seconds": 60}, {"talk_seconds": 59}, "more talk seconds"),
    ({"minimum_talk_seconds": 1}, {"talk_seconds": None}, "more talk seconds"),
    ({"call_types": ["inbound"]}, {"call_type": "outbound"}, "another call type"),
    ({"qualified": "source"}, {"leadflow": {"source_qualified": False}}, "a qualified call"),
    ({"qualified": "source"}, {"leadflow": {"source_qualified": None}}, "a qualified call"),
    ({"qualified": "source"}, {"leadflow": {"destination_qualified": True}}, "a qualified call"),
    ({"qualified": "both"}, {"leadflow": {"source_qualified": True}}, "a qualified call"),
    ({"qualified": "destination"}, {}, "a qualified call"),
    ({"qualified": "of a later version"}, {"leadflow": BOTH}, "a qualified call"),
    ({"pool_ids": ["p-9"]}, {"pool_id": "P-9"}, "another pool"),
    ({"pool_ids": ["p-9"]}, {}, "another pool"),
    ({"tags": ["gold"]}, {"leadflow": {"tag": "Gold"}}, "another tag"),
    ({"tags": ["gold"]}, {"leadflow": {}}, "another tag"),
    ({"tags": ["gold"]}, {}, "another tag"),
]


@pytest.mark.parametrize(("conditions", "fields"), MET)
def test_an_action_runs_where_its_condition_is_met(decide, conditions, fields):
    decision = decide(conditions, **fields)
    assert (decision.runs, decision.reason) == (True, "it is active and its scope is All Calls")


@pytest.mark.parametrize(("conditions", "fields", "asked"), UNMET)
def test_an_action_does_not_run_where_its_condition_is_not_met(decide, conditions, fields, asked):
    decision = decide(conditions, **fields)
    assert (decision.runs, decision.reason) == (False, f"its conditions ask for {asked}")


def test_all_conditions_must_be_met_and_the_first_that_is_not_is_told(decide):
    asked = {"minimum_talk_seconds": 60, "pool_ids": ["p"], "tags": ["gold"]}
    met = {"talk_seconds": 61, "pool_id": "p", "leadflow": {"tag": "gold"}}
    assert decide(asked, **met).runs
    assert decide(asked, **met | {"pool_id": "q", "leadflow": None}).reason.endswith("another pool")
    for field in met:
        assert not decide(
            asked, **{name: value for name, value in met.items() if name != field}
        ).runs


def test_rules_are_judged_before_conditions(decide):
    asked = {"minimum_talk_seconds": 60}
    assert decide(asked, active=False).reason == "it is not active"
    assert decide(asked, number=("none",)).reason == "the setting is No Post Call Actions"
    assert "correction" in decide(asked, revision=1).reason


def test_a_specific_action_that_does_not_meet_its_conditions_has_no_fallback(
    given_account, routed_call
):
    account = given_account().action("a").action("b", conditions={"minimum_talk_seconds": 9})
    account.number(NUMBER, "specific", "b")
    resolution = resolved(routed_call(called_e164=NUMBER), account.known)
    assert [decision.runs for decision in resolution.decisions] == [False, False]
    assert resolution.summary().endswith("which does not run, so nothing does")


@pytest.mark.parametrize("conditions", [None, {}, {"minimum_talk_seconds": 0, "call_types": []}])
def test_without_conditions_a_call_costs_nothing_but_a_look_up(
    given_account, routed_call, conditions
):
    account = given_account().action("a", conditions=conditions).known
    first, second = (resolved(routed_call(called_e164=NUMBER), account).running for _ in range(2))
    assert first is second


def test_conditions_of_an_action_that_does_not_run_cost_nothing_either(given_account, routed_call):
    account = given_account().action("a").action("b", active=False, conditions={"tags": ["x"]})
    first, second = (
        resolved(routed_call(called_e164=NUMBER), account.known).running for _ in range(2)
    )
    assert first is second


def test_a_changed_condition_counts_at_once(given_account, routed_call):
    account = given_account().action("a", conditions={"tags": ["x"]})
    assert not resolved(routed_call(), account.known).decisions[0].runs
    account.action("a", conditions=None)
    assert resolved(routed_call(), account.known).decisions[0].runs


def test_every_reason_is_told_in_the_docs():
    text = DOCS.read_text()
    assert {f"its conditions ask for {asked}" for *_, asked in UNMET} == {
        line.split("|")[1].strip() for line in text.splitlines() if "its conditions ask" in line
    }


def test_conditions_that_ask_nothing_are_always_met(call):
    assert Conditions().unmet(call()) is None

"""Every combination of settings against the decisions table, written out a second time."""

import itertools

import pytest
from resolved import resolved

from router.calls import routed
from router.parts import action_part
from router.resolve import Action, Conditions, Configured, Setting
from router.resolve import decide as decide_

NUMBER = "+18005550100"
SETTINGS = [
    None,
    Setting("account_wide"),
    Setting("specific", "a"),
    Setting("specific", "deleted"),
    Setting("none"),
    Setting("inherit"),
]
PART = action_part("acme", "a", 1, b"")
ACTIONS = [
    Action(f"{'all' if all_calls else 'few'}-{active}-{revisions}", "", active, all_calls,
           revisions, PART)
    for all_calls, active, revisions in itertools.product([True, False], repeat=3)
]  # fmt: skip


class Plain(Configured):
    """An account that keeps nothing but what it was given."""

    def __init__(self, ad_group, pool, number, actions):
        self._settings = {"g": ad_group, "p": pool, NUMBER: number}
        self._actions = tuple(actions)

    def number(self, e164):
        return self._settings[e164]

    def pool(self, id_):
        return self._settings[id_]

    def ad_group(self, id_):
        return self._settings[id_]

    def decided(self, setting, *, revised):
        return decide_(self._actions, setting, revised=revised)


def expected(ad_group, pool, number, actions, revision):
    """The table of the decisions as a person would read it."""
    counts = Setting("account_wide")  # D4
    for setting in (ad_group, pool, number):  # D8
        if setting is not None and setting.send != "inherit":  # D7
            counts = setting
            break
    wanted = set()
    for action in actions:
        if counts.send == "none":  # D5
            continue
        if counts.send == "account_wide" and not action.all_calls:  # D1
            continue
        if counts.send == "specific" and action.action_id != counts.action_id:  # D2, D3
            continue
        if not action.active:  # D3
            continue
        if revision and not action.revisions:  # D11
            continue
        wanted.add(action.action_id)
    return wanted


@pytest.mark.parametrize("revision", [0, 1])
@pytest.mark.parametrize("named", ACTIONS, ids=lambda action: action.action_id)
def test_d1_to_d11_every_combination_of_sources_scopes_and_states_is_decided_by_the_table(
    routed_call, named, revision
):
    one = routed_call(called_e164=NUMBER, ad_group_id="g", pool_id="p", revision=revision)
    for settings in itertools.product(SETTINGS, repeat=3):
        mine = [
            Setting("specific", named.action_id) if setting == Setting("specific", "a") else setting
            for setting in settings
        ]
        resolution = resolved(one, Plain(*mine, ACTIONS))
        runs = {decision.action.action_id for decision in resolution.decisions if decision.runs}
        assert len(resolution.running) == len(runs), settings
        assert runs == expected(*mine, ACTIONS, revision), settings


TALKED = [None, 0, 59, 60]
TYPES = ["inbound", "INBOUND", "Click-To", "ring"]
FLAGS = [None, False, True]
CONDITIONS = [
    Conditions(*fields)
    for fields in itertools.product(
        [None, 0, 60],
        [frozenset(), frozenset({"inbound", "click-to"})],
        ["", "source", "destination", "both", "of a later version"],
        [frozenset(), frozenset({"p"}), frozenset({"other"})],
        [frozenset(), frozenset({"gold", ""})],
    )
]


def meets(call, asked):
    """Conditions as a person would read them."""
    leadflow = call["leadflow"] or {}
    asks = [
        asked.minimum_talk_seconds is None
        or (call["talk_seconds"] is not None and call["talk_seconds"] >= asked.minimum_talk_seconds)
        or asked.minimum_talk_seconds == 0,
        not asked.call_types or call["call_type"].lower() in asked.call_types,
        not asked.qualified
        or {
            "source": leadflow.get("source_qualified"),
            "destination": leadflow.get("destination_qualified"),
            "both": leadflow.get("source_qualified") and leadflow.get("destination_qualified"),
        }.get(asked.qualified)
        is True,
        not asked.pool_ids or call["pool_id"] in asked.pool_ids,
        not asked.tags or (bool(leadflow) and leadflow["tag"] in asked.tags),
    ]
    return all(asks)


@pytest.mark.parametrize("setting", [*SETTINGS[:2], Setting("specific", "0"), Setting("none")])
@pytest.mark.parametrize("revision", [0, 1])
def test_conditions_are_asked_besides_all_rules_in_every_combination(call, setting, revision):
    actions = [
        Action(str(n), "", n % 7 != 0 or n == 0, n % 5 != 1, n % 3 != 0, PART, conditions)
        for n, conditions in enumerate(CONDITIONS)
    ]
    account = Plain(None, None, setting, actions)
    flags = [None, *itertools.product(FLAGS, FLAGS, ["", "gold", "tin"])]
    for talked, word, pool, flagged in itertools.product(TALKED, TYPES, ["", "p"], flags):
        leadflow = flagged and dict(
            zip(("source_qualified", "destination_qualified", "tag"), flagged, strict=True)
        )
        one = call(called_e164=NUMBER, talk_seconds=talked, call_type=word, revision=revision,
                   leadflow=leadflow)  # fmt: skip
        one |= {"ad_group_id": "g", "pool_id": pool}
        account._settings[""] = account._settings["p"]
        resolution = resolved(routed(one), account)
        runs = {d.action.action_id for d in resolution.decisions if d.runs}
        assert len(resolution.running) == len(runs)
        by_rules = expected(None, None, setting, actions, revision)
        wanted = {a.action_id for a in actions if a.action_id in by_rules
                  and meets(one, a.conditions)}  # fmt: skip
        assert runs == wanted, (talked, word, pool, flagged)


def test_every_action_is_decided_upon_in_the_order_given(routed_call):
    decided = resolved(routed_call(called_e164=NUMBER), Plain(None, None, None, ACTIONS)).decisions
    assert [decision.action for decision in decided] == ACTIONS


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_has_a_summary(routed_call, setting):
    assert resolved(routed_call(called_e164=NUMBER), Plain(None, None, setting, ACTIONS)).summary()

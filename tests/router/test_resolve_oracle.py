"""Every combination of settings against the decisions table, written out a second time."""

import itertools

import pytest

from router.resolve import Action, Setting, resolve
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
ACTIONS = [
    Action(f"{'all' if all_calls else 'few'}-{active}-{revisions}", "", active, all_calls,
           revisions, 1, b"")
    for all_calls, active, revisions in itertools.product([True, False], repeat=3)
]  # fmt: skip


class Plain:
    """An account that keeps nothing but what it was given."""

    def __init__(self, ad_group, pool, number, actions):
        self._settings = {"g": ad_group, "p": pool, NUMBER: number}
        self._actions = actions

    def number(self, e164):
        return self._settings[e164]

    def pool(self, id_):
        return self._settings[id_]

    def ad_group(self, id_):
        return self._settings[id_]

    def decisions(self, send, action_id, *, revised):
        return decide_(self._actions, send, action_id, revised=revised)


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
    call, named, revision
):
    one = call(called_e164=NUMBER, ad_group_id="g", pool_id="p", revision=revision)
    for settings in itertools.product(SETTINGS, repeat=3):
        mine = [
            Setting("specific", named.action_id) if setting == Setting("specific", "a") else setting
            for setting in settings
        ]
        decided = resolve(one, Plain(*mine, ACTIONS)).decisions
        runs = {decision.action.action_id for decision in decided if decision.runs}
        assert runs == expected(*mine, ACTIONS, revision), settings


def test_every_action_is_decided_upon_in_the_order_given(call):
    decided = resolve(call(called_e164=NUMBER), Plain(None, None, None, ACTIONS)).decisions
    assert [decision.action for decision in decided] == ACTIONS


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_has_a_summary(call, setting):
    assert resolve(call(called_e164=NUMBER), Plain(None, None, setting, ACTIONS)).summary()

"""Which actions run for a call: D1 to D9 and D11, D56, each by name."""

import pytest
from resolved import resolved

NUMBER = "+18005550100"
OTHER = "+18005550199"


@pytest.fixture
def running(routed_call):
    """`running(account, called_e164=…)`: the ids of the actions that run, and nothing else."""

    def build(account, **fields):
        fields = {"called_e164": NUMBER} | fields
        return [
            decision.action.action_id
            for decision in resolved(routed_call(**fields), account).decisions
            if decision.runs
        ]

    return build


@pytest.fixture
def why(routed_call):
    """The reason given for the one action of an account."""

    def build(account, **fields):
        (decision,) = resolved(routed_call(called_e164=NUMBER, **fields), account).decisions
        return decision.reason

    return build


@pytest.fixture
def summary(routed_call):
    def build(account, **fields):
        fields = {"called_e164": NUMBER} | fields
        return resolved(routed_call(**fields), account).summary()

    return build


def test_d1_a_configured_numbers_only_action_does_not_run_for_a_number_left_on_account_wide(
    given_account, running
):
    account = given_account().action("a", scope="configured_numbers_only")
    assert running(account.number(NUMBER, "account_wide").known) == []


def test_d1_a_configured_numbers_only_action_runs_for_the_number_that_names_it(
    given_account, running
):
    account = given_account().action("a", scope="configured_numbers_only")
    assert running(account.number(NUMBER, "specific", "a").known) == ["a"]


def test_d2_a_number_with_a_specific_all_calls_action_runs_that_one_only(given_account, running):
    account = given_account().action("a").action("b")
    assert running(account.number(NUMBER, "specific", "b").known) == ["b"]


@pytest.mark.parametrize("change", [{"active": False}, None])
def test_d3_an_inactive_or_deleted_specific_action_has_no_fallback(given_account, running, change):
    account = given_account().action("a").number(NUMBER, "specific", "b")
    if change:
        account.action("b", **change)
    else:
        account.action("b").delete("action", "b")
    assert running(account.known) == []


def test_d4_a_number_never_configured_is_as_account_wide(given_account, running):
    account = given_account().action("a").action("b").action("off", active=False)
    assert running(account.number(OTHER, "none").known) == ["a", "b"]


def test_d4_a_call_without_a_called_number_is_as_account_wide(given_account, running):
    account = given_account().action("a").number(NUMBER, "none")
    assert running(account.known, called_e164="") == ["a"]


def test_d5_the_number_wins_over_all_calls(given_account, running):
    assert running(given_account().action("a").number(NUMBER, "none").known) == []


@pytest.mark.parametrize("direction", ["outbound", "click-to"])
def test_d6_an_outbound_call_runs_all_calls_actions_whatever_its_callers_number_says(
    given_account, running, direction
):
    account = given_account().action("a").number(NUMBER, "none").known
    ours = {"caller_e164": NUMBER, "caller_id": NUMBER, "call_type": direction}
    assert running(account, called_e164="+13125550123", **ours) == ["a"]


@pytest.mark.parametrize("direction", ["outbound", "click-to"])
def test_d6_a_numbers_setting_counts_where_it_is_the_called_one_of_an_outbound_call(
    given_account, running, direction
):
    account = given_account().action("a").number(NUMBER, "none").known
    assert running(account, call_type=direction) == []


@pytest.mark.parametrize("kind", ["pool", "ad_group"])
def test_d7_the_setting_of_a_pool_or_ad_group_wins_over_the_number(given_account, running, kind):
    account = given_account().action("a").number(NUMBER, "none")
    getattr(account, kind)("p-9", "account_wide")
    assert running(account.known, **{f"{kind}_id": "p-9"}) == ["a"]


@pytest.mark.parametrize("kind", ["pool", "ad_group"])
def test_d7_a_pool_or_ad_group_that_inherits_falls_through_to_the_number(
    given_account, running, kind
):
    account = given_account().action("a").number(NUMBER, "none")
    getattr(account, kind)("p-9", "inherit")
    assert running(account.known, **{f"{kind}_id": "p-9"}) == []


@pytest.mark.parametrize("kind", ["pool", "ad_group"])
def test_d7_a_pool_or_ad_group_never_configured_falls_through_to_the_number(
    given_account, running, kind
):
    account = given_account().action("a").number(NUMBER, "none")
    assert running(account.known, **{f"{kind}_id": "p-9"}) == []


def test_d8_the_ad_group_counts_before_the_pool(given_account, running):
    account = given_account().action("a").action("b").action("c").number(NUMBER, "specific", "c")
    account.pool("p", "specific", "b").ad_group("g", "specific", "a")
    assert running(account.known, pool_id="p", ad_group_id="g") == ["a"]


def test_d8_the_pool_counts_where_the_ad_group_inherits(given_account, running):
    account = given_account().action("a").action("b").number(NUMBER, "specific", "a")
    account.pool("p", "specific", "b").ad_group("g", "inherit")
    assert running(account.known, pool_id="p", ad_group_id="g") == ["b"]


def test_d11_a_correction_runs_only_actions_that_ask_for_revisions(given_account, running):
    account = given_account().action("a").action("b", revisions=True).known
    assert running(account, revision=1) == ["b"]


def test_d11_a_first_report_runs_both(given_account, running):
    account = given_account().action("a").action("b", revisions=True).known
    assert running(account, revision=0) == ["a", "b"]


def test_d11_a_correction_does_not_run_even_the_specific_action_that_does_not_ask(
    given_account, running
):
    account = given_account().action("a").number(NUMBER, "specific", "a").known
    assert running(account, revision=2) == []


def test_d56_the_label_is_the_one_configured_for_the_called_number(given_account, routed_call):
    account = given_account().number(NUMBER, "account_wide", label="Yellow pages").known
    assert resolved(routed_call(called_e164=NUMBER), account).label == "Yellow pages"


def test_d56_a_number_keeps_its_label_though_the_pools_setting_counts(given_account, routed_call):
    account = given_account().number(NUMBER, "none", label="Yellow").pool("p", "account_wide")
    assert resolved(routed_call(called_e164=NUMBER, pool_id="p"), account.known).label == "Yellow"


def test_d56_a_number_without_a_label_leaves_it_to_the_call(given_account, routed_call):
    account = given_account().number(NUMBER, "account_wide").known
    assert resolved(routed_call(called_e164=NUMBER, phone_label="own"), account).label == ""


def test_d12_a_deleted_account_is_unknown(given_account):
    assert given_account().action("a").delete("account", "acme").known is None


@pytest.mark.parametrize(
    "wrong", ["anonymous", "sip:a@example.com", "+", "1_0", "9" * 5000, "8005550100x7"]
)
def test_a_called_number_that_is_none_is_as_a_number_never_configured(
    given_account, running, wrong
):
    # A foreign producer writes what it likes; one such call must not stop the router.
    assert running(given_account().action("a").known, called_e164=wrong) == ["a"]


def test_the_source_is_named_with_its_id(given_account, routed_call):
    account = given_account().pool("p-9", "none").known
    resolution = resolved(routed_call(pool_id="p-9"), account)
    assert (resolution.source, resolution.source_id) == ("pool", "p-9")


def test_a_summary_tells_of_the_number(given_account, summary):
    account = given_account().number(NUMBER, "account_wide").known
    assert summary(account) == f"number {NUMBER}: account-wide Post Call Actions"


def test_a_summary_tells_of_the_ad_group(given_account, summary):
    account = given_account().ad_group("g-1", "none").known
    assert summary(account, ad_group_id="g-1") == "ad group g-1: no Post Call Actions"


def test_a_summary_tells_of_the_pool_and_its_specific_action(given_account, summary):
    account = given_account().action("a").pool("p-9", "specific", "a").known
    expected = "SourceTrak pool p-9: the specific Post Call Action a"
    assert summary(account, pool_id="p-9") == expected


def test_a_summary_tells_that_nothing_is_configured(given_account, summary):
    assert summary(given_account().known) == (
        "no setting for this call's number, pool or ad group: account-wide Post Call Actions"
    )


def test_d3_a_summary_tells_that_the_specific_action_was_deleted(given_account, summary):
    account = given_account().number(NUMBER, "specific", "a").known
    assert summary(account).endswith("which does not exist (any more), so nothing runs")


def test_d3_a_summary_tells_that_the_specific_action_is_off(given_account, summary):
    account = given_account().action("a", active=False).number(NUMBER, "specific", "a").known
    assert summary(account).endswith("which does not run, so nothing does")


def test_reasons_name_the_rule_that_counted(given_account, why):
    assert why(given_account().action("a").known) == "it is active and its scope is All Calls"


def test_d1_the_reason_names_the_scope(given_account, why):
    account = given_account().action("a", scope="configured_numbers_only").known
    assert "Configured Numbers Only" in why(account)


def test_d11_the_reason_names_the_correction(given_account, why):
    assert "correction" in why(given_account().action("a").known, revision=1)

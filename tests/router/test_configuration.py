"""The table of accounts: what records do to it, and that none of them stops the router."""

import gc
import logging
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.configuration import Configuration
from router.resolve import Setting
from schemas.configuration import config_key
from schemas.released import current
from streaming import metrics
from streaming.partitions import partition_of


def version(given):
    """Of the account, which its dispatches carry behind the number of the attempt."""
    _, zigzag = given.known.part.versions
    return zigzag // 2


def unreadable():
    return metrics.CONFIG_UNREADABLE._value.get()


def running(account):
    decided = account.decided(Setting("account_wide"), revised=False)
    return [each.action.action_id for each in decided.decisions if each.runs]


def test_an_account_is_unknown_before_its_record(empty_configuration):
    assert empty_configuration.action("a").known is None


def test_an_account_is_known_whatever_came_first(empty_configuration):
    known = empty_configuration.action("a").number("+18005550100", "none").account().known
    assert (running(known), known.number("+18005550100").send) == (["a"], "none")


def test_an_account_is_known_in_its_own_partition_only(given_account):
    assert given_account().configuration.account(1, "acme") is None


def test_a_partition_dropped_is_forgotten(given_account):
    given = given_account().action("a")
    given.configuration.drop(0)
    assert given.known is None


def test_dropping_one_partition_leaves_the_others(given_account):
    given = given_account()
    given.configuration.drop(1)
    assert given.known is not None


def test_an_account_created_anew_has_what_was_configured_meanwhile(given_account):
    given = given_account().action("a").delete("account", "acme").action("b")
    assert running(given.account().known) == ["a", "b"]


def test_an_account_of_which_nothing_is_left_costs_no_memory(given_account):
    given = given_account().action("a").number("+18005550100", "none")
    given.delete("number", "+18005550100").delete("action", "a").delete("account", "acme")
    assert given.configuration._partitions == {0: {}}


def test_a_tombstone_for_what_was_never_there_changes_nothing(empty_configuration):
    assert empty_configuration.delete("number", "+18005550100").known is None


def test_deleted_settings_are_as_never_configured(given_account):
    given = given_account().number("+18005550100", "none").pool("p", "none").ad_group("g", "none")
    given.delete("number", "+18005550100").delete("pool", "p").delete("ad_group", "g")
    known = given.known
    assert (known.number("+18005550100"), known.pool("p"), known.ad_group("g")) == (None,) * 3


def test_a_changed_action_makes_earlier_decisions_forgotten(given_account):
    given = given_account().action("a")
    assert running(given.known) == ["a"]
    assert running(given.action("a", active=False).known) == []


def test_a_deleted_action_makes_earlier_decisions_forgotten(given_account):
    given = given_account().action("a").action("b")
    assert running(given.known) == ["a", "b"]
    assert running(given.delete("action", "a").known) == ["b"]


def test_a_changed_action_keeps_its_place(given_account):
    given = given_account().action("a").action("b").action("a", name="new")
    assert running(given.known) == ["a", "b"]


def test_decisions_are_remembered(given_account):
    known = given_account().action("a").known
    assert known.decided(Setting("none"), revised=False) is known.decided(
        Setting("none"), revised=False
    )


def test_the_version_is_that_of_the_newest_account_record(given_account):
    assert version(given_account().account().account()) == 3


def test_what_lies_in_a_partition_that_is_not_the_accounts_is_passed_over(codec):
    configuration, home = Configuration(codec, 3), partition_of("acme", 3)
    record = {"account_id": "acme", "version": 1, "name": "Acme"}
    for partition in range(3):
        key = config_key("acme", "account", "acme")
        configuration.apply(partition, key, codec.encode("Account", record, "c"))
    assert [configuration.account(n, "acme") is not None for n in range(3)] == [
        n == home for n in range(3)
    ]


GARBAGE = {
    "a key that is no text": (b"\xff\xfe/number/+18005550100", b"x"),
    "a key with too few parts": (b"acme/number", b"x"),
    "an unknown kind": (b"acme/fax/1", None),
    "a number that is none": (b"acme/number/anonymous", None),
    "a number far too long": (b"acme/number/" + b"9" * 5000, None),
    "an empty key": (b"", b"x"),
    "an empty value": (b"acme/number/+18005550100", b""),
    "no wire format": (b"acme/number/+18005550100", b"{}"),
    "a cut header": (b"acme/number/+18005550100", b"\xc3\x01\x00"),
    "an unknown schema": (b"acme/number/+18005550100", b"\xc3\x01" + b"\x00" * 12),
    "an account's key with garbage": (b"acme/account/acme", b"\xc3\x01garbage..."),
}


@pytest.mark.parametrize(("key", "value"), GARBAGE.values(), ids=GARBAGE)
def test_what_cannot_be_read_leaves_the_older_state_and_is_counted(
    given_account, caplog, key, value
):
    given, before = given_account().number("+18005550100", "none"), unreadable()
    with caplog.at_level(logging.CRITICAL):
        given.configuration.apply(0, key, value)
    state = (given.known.number("+18005550100").send, version(given))
    assert (state, unreadable() - before) == (("none", 1), 1)


@pytest.mark.parametrize("record", ["Routing", "Action", "Account"])
@pytest.mark.parametrize("kind", ["number", "pool", "ad_group", "action", "account"])
def test_garbage_behind_any_valid_header_leaves_the_older_state(
    given_account, caplog, kind, record
):
    given, before = given_account().action("a").number("+18005550100", "none"), unreadable()
    given.pool("a", "none").ad_group("a", "none")
    id_ = "+18005550100" if kind == "number" else "a"
    with caplog.at_level(logging.CRITICAL):
        given.put(kind, id_, current(record).header + b"\xff\xff\xff")
    known = given.known
    settings = (known.number("+18005550100"), known.pool("a"), known.ad_group("a"))
    assert ([s.send for s in settings], running(known)) == (["none"] * 3, ["a"])
    assert unreadable() == before + 1


def test_bytes_that_were_a_good_routing_are_not_believed_to_be_an_action(given_account, caplog):
    given = given_account().number("+18005550100", "account_wide")
    with caplog.at_level(logging.CRITICAL):
        given.put("action", "a", current("Action").header + b"\x00\x00\x00")
    assert given.known.actions == ()


def test_a_record_of_another_kind_than_its_key_leaves_the_older_state(given_account, codec, caplog):
    given, before = given_account().action("a"), unreadable()
    routing = codec.encode("Routing", {"send": "none"}, "c")
    with caplog.at_level(logging.CRITICAL):
        given.put("action", "a", routing)
    assert (running(given.known), unreadable() - before) == (["a"], 1)


@pytest.mark.parametrize(
    "id_",
    [
        "",
        "+",
        "++1",
        "+1 800",
        "1_800",
        "+1800555010012345",
        "\uff10\uff11",
        "+18005550100x",
        "\ud800",
    ],
)
def test_what_is_no_number_is_neither_kept_nor_found(given_account, id_, caplog):
    given, before = given_account(), unreadable()
    with caplog.at_level(logging.CRITICAL):
        given.number(id_.encode("utf-8", "replace").decode(), "none")
    assert given.known.number(id_) is None
    assert unreadable() == before + 1


@pytest.mark.parametrize("e164", ["+1", "+999999999999999", "+18005550100"])
def test_a_number_is_found_with_and_without_its_plus(given_account, e164):
    known = given_account().number(e164, "none").known
    found = [known.number(e164), known.number(e164[1:])]
    assert [setting.send for setting in found] == ["none", "none"]


def test_what_is_unreadable_is_logged_with_its_key(empty_configuration, caplog):
    empty_configuration.put("fax", "1", b"x")
    assert [record.key for record in caplog.records] == ["acme/fax/1"]


KEYS = st.one_of(
    st.binary(max_size=20),
    st.builds(
        lambda kind, id_: config_key("acme", kind, id_),
        st.sampled_from(["account", "action", "number", "pool", "ad_group", "fax"]),
        st.text(max_size=8),
    ),
)
VALUES = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.builds(
        lambda name, rest: current(name).header + rest,
        st.sampled_from(["Account", "Action", "Routing", "Dispatch"]),
        st.binary(max_size=40),
    ),
)


@settings(deadline=None)
@given(st.lists(st.tuples(KEYS, VALUES), max_size=20))
def test_no_bytes_whatever_make_it_raise_now_or_when_a_call_asks(codec, records):
    log = logging.getLogger("router.configuration")
    log.disabled = True
    try:
        configuration = Configuration(codec, 1)
        for key, value in records:
            configuration.apply(0, key, value)
        for account in configuration._partitions.get(0, {}).values():
            account.decided(Setting("account_wide"), revised=False)
            account.number("+18005550100")
            for id_ in [*account._pools, *account._ad_groups]:
                assert account.pool(id_) or account.ad_group(id_)
    finally:
        log.disabled = False


def memory_of(configuration, codec, label):
    values = [codec.encode("Routing", {"send": "account_wide", "label": label(n)}, "c")
              for n in range(1000)]  # fmt: skip
    gc.collect()
    tracemalloc.start()
    for n in range(100_000):
        configuration.apply(0, b"acme/number/+1800%07d" % n, bytes(bytearray(values[n % 1000])))
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / 100_000


def test_a_number_costs_less_than_200_bytes(empty_configuration, codec):
    per_number = memory_of(empty_configuration.configuration, codec, lambda n: f"Label {n}")
    assert per_number < 200

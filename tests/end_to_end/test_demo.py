"""The demo is a check: its expectations are by hand, and its verdict misses nothing."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from console.demo.accounts import ACTIONS, configured_things, document
from console.demo.receiver import Arrival, Receiver
from console.demo.scenario import KINDS, stories
from console.demo.verdict import complete, judge
from schemas.call import Call
from schemas.configuration import Document

STORIES = stories(300)
EXPECTED = [one for story in STORIES for one in story.expected]

# What each kind of call leads to, by hand: the actions, in order.
ACTIONS_OF = {
    "number on Account-Wide": ["crm", "warehouse"],
    "number never configured": ["crm", "warehouse"],
    "outbound call": ["crm", "warehouse"],
    "click-to call, no called number": ["crm", "warehouse"],
    "pool without a setting of its own": ["crm", "warehouse"],
    "number on a specific action": ["sales"],
    "number on No Post Call Actions": [],
    "number on an action not active": [],
    "pool against its number: pool wins": ["spring"],
    "another account, Account-Wide": ["frontdesk", "ledger"],
    "specific action of scope All Calls": ["ledger"],
    "ad group, then pool, then number": ["audit"],
    "a call and its correction": ["frontdesk", "ledger", "ledger"],
    "account nobody knows": [],
}


def story(kind):
    return next(story for story in STORIES if story.kind == kind)


def arrivals(expected):
    """What comes in when all is right."""
    return [
        Arrival(
            0.0, one.method, one.path, one.static, one.query, one.body, one.webhook_id,
            200 if number == one.times - 1 else 500,
        )
        for one in expected
        for number in range(one.times)
    ]  # fmt: skip


RIGHT = arrivals(EXPECTED)


def test_each_kind_of_call_leads_to_its_actions_and_says_why_not_to_the_others():
    assert {kind for kind, _ in KINDS} == ACTIONS_OF.keys()
    for told in STORIES:
        assert [one.action for one in told.expected] == ACTIONS_OF[told.kind]
        account = told.calls[0]["account_id"]
        known = {action.id for action in ACTIONS.values() if action.account == account}
        run, not_run = {one.action for one in told.expected}, {name for name, _ in told.not_run}
        assert run | not_run >= known


def test_requests_of_the_first_call_are_these():
    crm, warehouse = story("number on Account-Wide").expected
    assert (crm.method, crm.path, crm.body) == ("GET", "/acme-roofing/crm", ())
    assert crm.query == (
        ("client_id", "1234"), ("token", "a/b c"), ("sid", "demo-0000"),
        ("when", "2026-07-01 10:03:22"), ("type", "Inbound"), ("from", "3125550123"),
        ("to", "8005550100"), ("label", "Yellow pages"), ("mins", "1.1"), ("name", "Ray"),
    )  # fmt: skip
    assert (warehouse.method, warehouse.query) == ("POST", (("source", "calls"),))
    assert warehouse.body == (
        ("sid", "demo-0000"), ("iso", "2026-07-01T10:03:22-04:00"),
        ("steps", "Virtual Receptionist|Find Me"), ("total", "2"), ("rounded", "2"),
        ("click", ""), ("status", ""),
    )  # fmt: skip


def test_scenario_is_what_the_apis_take():
    Document.model_validate_json(json.dumps(document("http://127.0.0.1:9000")))
    calls = [call for told in STORIES for call in told.calls]
    for call in calls:
        Call.model_validate_json(json.dumps(call))
    assert len({(call["sid"], call.get("revision", 0)) for call in calls}) == len(calls)
    assert configured_things() == 21


def test_scenario_holds_every_odd_thing():
    values = {value for one in EXPECTED for _, value in one.query + one.body}
    calls = [call for told in STORIES for call in told.calls]
    assert any("🦷" in value for value in values)
    assert any(set(";&+% ") <= set(value) for value in values)
    assert {"anonymous", "442079460123", "", "0.0", "0"} <= values
    assert {call["call_type"] for call in calls} == {"inbound", "outbound", "click-to"}
    assert any(one.times == 2 for one in EXPECTED)
    assert len({one.webhook_id for one in EXPECTED}) == len(EXPECTED)


def test_verdict_is_good_when_all_is_right():
    assert judge(EXPECTED, RIGHT).good
    assert complete(EXPECTED, RIGHT)


def test_verdict_finds_a_missing_request():
    verdict = judge(EXPECTED, RIGHT[1:])
    assert not verdict.good
    assert len(verdict.missing) == 1
    assert "/acme-roofing/crm" in verdict.missing[0]
    assert not complete(EXPECTED, RIGHT[1:])


def test_verdict_finds_a_retry_that_did_not_come():
    once = next(number for number, one in enumerate(RIGHT) if one.status == 500)
    verdict = judge(EXPECTED, RIGHT[:once] + RIGHT[once + 1 :])
    assert "1 of 2 arrived" in verdict.missing[0]


def test_verdict_finds_an_extra_request():
    stranger = dataclasses.replace(RIGHT[0], webhook_id="somebody-else")
    verdict = judge(EXPECTED, [*RIGHT, stranger])
    assert not verdict.good
    assert len(verdict.unexpected) == 1


def test_verdict_finds_a_duplicated_request():
    verdict = judge(EXPECTED, [*RIGHT, RIGHT[0]])
    assert not verdict.good
    assert "arrived 2 times" in verdict.duplicated[0]


@pytest.mark.parametrize(
    "change",
    [
        {"method": "POST"},
        {"path": "/elsewhere"},
        {"query": RIGHT[0].query[::-1]},
        {"query": (*RIGHT[0].query[:-1], ("name", "Roy"))},
        {"body": (("sid", "demo-0000"),)},
        {"raw_query": "client_id=1234&token=a/b+c&sid=demo-0000"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_verdict_finds_a_changed_request(change):
    verdict = judge(EXPECTED, [dataclasses.replace(RIGHT[0], **change), *RIGHT[1:]])
    assert not verdict.good
    assert verdict.counts() == "0 missing, 0 unexpected, 1 different, 0 duplicated"


def test_receiver_keeps_what_arrives():
    with Receiver(lambda path, query, body, earlier: 200 if earlier else 500) as receiver:
        answers = [_post(receiver.url + "/a/b?x=%2F&y=1+2", b"z=%F0%9F%93%9E&e=") for _ in range(2)]
    first, second = receiver.arrivals
    assert answers == [first.status, second.status] == [500, 200]
    assert (first.method, first.path, first.raw_query) == ("POST", "/a/b", "x=%2F&y=1+2")
    assert first.query == (("x", "/"), ("y", "1 2"))
    assert first.body == (("z", "📞"), ("e", ""))
    assert first.webhook_id == "w"


def _post(url, body):
    return httpx.post(url, content=body, headers={"webhook-id": "w"}, trust_env=False).status_code


@pytest.fixture(scope="module")
def demo_run(kafka_can_run, tmp_path_factory):
    """`pca demo`, once, in a folder of its own and with settings in its way that it must ignore."""
    folder = tmp_path_factory.mktemp("demo")
    pca = Path(sys.executable).with_name("pca")
    return folder, subprocess.run(
        [pca, "demo"],
        env=os.environ
        | {
            "TMPDIR": str(folder),
            "PCA_TOPIC_PREFIX": "x.",
            "PCA_PRODUCER_PORT": "1",
            "COLUMNS": "160",
        },
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


def test_demo_ends_well_and_leaves_nothing(demo_run):
    folder, done = demo_run
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    counts = "424 were expected, 0 missing, 0 unexpected, 0 different, 0 duplicated"
    assert re.search(rf"RIGHT: 321 calls became 424 requests; {counts}; p50 [\d.]+ ms", done.stdout)
    assert list(folder.iterdir()) == []


def test_demo_tells_why_an_action_did_not_run(demo_run):
    text = " ".join(demo_run[1].stdout.split())
    assert "retired does not run: it is not active" in text
    assert "answered 500, so sent again" in text

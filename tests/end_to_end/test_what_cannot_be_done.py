"""What cannot be read, routed or delivered ends where it should, and what is behind it flows on."""

import pytest
from line import eventually

from schemas.call import MAX_CALL_BYTES
from schemas.released import current
from streaming.partitions import partition_of

FOREIGN_FINGERPRINT = bytes.fromhex("c301") + b"\x01" * 8


def headers(message):
    return {name: value.decode() for name, value in message.headers() or []}


@pytest.fixture
def routing(line, action):
    """A router and dispatcher with one account, acme, and one action, crm."""
    line.configure({"id": "acme", "name": "Acme", "actions": [action("crm")]})
    (router,) = line.start("router")
    (dispatcher,) = line.start("dispatcher")
    return router, dispatcher


def unroutable(line):
    """The record for each reason."""
    return {
        "not_avro": b"GET / HTTP/1.1",
        "unknown_schema": FOREIGN_FINGERPRINT + b"anything",
        "malformed": line.call()[:-3],
        "wrong_record": line.codec.encode(
            "Account", {"account_id": "acme", "version": 1, "name": "Acme"}, line.topics.calls
        ),
        "unknown_account": line.call(account="nobody"),
        "null_value": None,
        "too_large": line.call(first_action="x" * 2_000_000),
    }


def test_what_cannot_be_routed_is_kept_with_its_reason_and_the_calls_behind_it_flow_on(
    line, routing, receiver
):
    bad = unroutable(line)
    home = partition_of("acme", line.settings.calls_partitions)
    nobodys = partition_of("nobody", line.settings.calls_partitions)
    line.write(
        (line.topics.calls, b"as-it-came", value, nobodys if reason == "unknown_account" else home)
        for reason, value in bad.items()
    )
    line.send(line.call(sid="behind"))
    eventually(lambda: receiver.arrivals)
    kept = {headers(m)["reason"]: m for m in line.read(line.topics.unrouted, len(bad))}
    router, _ = routing
    counted = {
        reason: line.metric(router, "pca_calls_unrouted_total", reason=reason) for reason in bad
    }
    assert {reason: m.value() for reason, m in kept.items()} == bad
    assert all(m.key() == b"as-it-came" for m in kept.values())
    assert headers(kept["not_avro"]) == {
        "reason": "not_avro",
        "detail": "starts with 47 45 54 20, no known wire format",
        "topic": line.topics.calls,
        "partition": str(home),
        "offset": "0",
    }
    assert counted == dict.fromkeys(bad, 1.0)
    assert len(bad["too_large"]) > MAX_CALL_BYTES
    assert dict(receiver.arrivals[0].query) == {"sid": "behind"}


def test_a_call_in_the_wrong_partition_is_moved_to_the_right_one_and_routed_once(
    line, routing, receiver
):
    home = partition_of("acme", line.settings.calls_partitions)
    wrong = (home + 1) % line.settings.calls_partitions
    line.write([(line.topics.calls, b"some-other-key", line.call(sid="astray"), wrong)])
    line.send(line.call(sid="behind"))
    eventually(lambda: len(receiver.arrivals) == 2)
    router, _ = routing
    assert line.metric(router, "pca_calls_rekeyed_total") == 1.0
    assert sorted(dict(a.query)["sid"] for a in receiver.arrivals) == ["astray", "behind"]


def test_a_host_that_does_not_resolve_is_tried_by_the_schedule_and_then_kept_as_dead(
    line, action, receiver
):
    nowhere = action("nowhere", target_url="http://no-such-host.invalid/x")
    line.configure({"id": "acme", "name": "Acme", "actions": [nowhere, action("crm")]})
    line.start("router")
    (dispatcher,) = line.start("dispatcher", dispatcher_retry_schedule=("1s", "2s"))
    line.send(line.call(sid="one"), line.call(sid="two"))
    eventually(lambda: len(receiver.arrivals) == 2)
    dead = [line.codec.decode(m.value(), "Dispatch") for m in line.read(line.topics.dead, 2)]
    attempts = [line.codec.decode(m.value(), "Attempt") for m in line.read(line.topics.attempts, 8)]
    failed = [a for a in attempts if a["action_id"] == "nowhere"]
    assert {(d["action_id"], d["attempt"], d["failure"]["error"]) for d in dead} == {
        ("nowhere", 3, "dns")
    }
    assert sorted((a["sid"], a["attempt"], a["outcome"]) for a in failed) == [
        (sid, attempt, "retry" if attempt < 3 else "dead")
        for sid in ("one", "two")
        for attempt in (1, 2, 3)
    ]
    assert line.metric(dispatcher, "pca_attempts_total", outcome="dead", error="dns") == 2.0


def test_a_dispatch_that_cannot_be_read_is_kept_as_dead_and_those_behind_it_are_sent(
    line, routing, receiver
):
    garbage = current("Dispatch").header + b"\xff" * 20
    line.write([(line.topics.dispatch, b"crm", garbage, -1)])
    line.send(line.call(sid="behind"))
    eventually(lambda: receiver.arrivals)
    (dead,) = line.read(line.topics.dead, 1)
    _, dispatcher = routing
    assert dead.value() == garbage
    assert headers(dead)["reason"] == "malformed"
    assert line.metric(dispatcher, "pca_dispatches_unreadable_total") == 1.0


def test_a_delay_that_the_schedule_no_longer_names_is_still_drained(line, action, receiver):
    nowhere = action("crm", target_url="http://127.0.0.1:1/")
    line.configure({"id": "acme", "name": "Acme", "actions": [nowhere]})
    line.start("router")
    (first,) = line.start("dispatcher", dispatcher_retry_schedule=("1s", "2s"))
    line.send(line.call())
    eventually(lambda: line.count(line.topics.retry("1s")))
    first.stop()
    line.start("dispatcher", dispatcher_retry_schedule=("3s", "4s"))
    # The second try comes from the topic of the old delay, and goes on by the new schedule.
    attempts = [line.codec.decode(m.value(), "Attempt") for m in line.read(line.topics.attempts, 2)]
    assert sorted(attempt["attempt"] for attempt in attempts) == [1, 2]


def test_a_rebalance_during_a_request_that_hangs_forks_nothing(line, action, slow):
    line.configure({"id": "acme", "name": "Acme", "actions": [action("crm", target_url=slow)]})
    line.start("router")
    changes = {"dispatcher_deadline": 4.0, "dispatcher_retry_schedule": ("1s",)}
    line.start("dispatcher", **changes)
    line.send(line.call())
    eventually(lambda: line.count(line.topics.dispatch))
    line.start("dispatcher", **changes)  # joins while the request hangs
    line.read(line.topics.dead, 1)
    # Twice tried by the one that owned it last, and at most once more by the one before.
    assert line.count(line.topics.dead) == 1
    assert line.count(line.topics.attempts) <= 3

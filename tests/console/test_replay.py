"""`pca replay`: its filter, and records from pca.dead to pca.dispatch on a real broker."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from acknowledged import acknowledged
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import given
from hypothesis import strategies as st
from line import settings_for
from typer.testing import CliRunner

from console.cli import app
from console.commands.replay import Unusable, table, wanted_by
from console.dead_topic import DeadTopic
from console.replay import Ended, Found, Kind, Wanted, again, find, replay, send, summary
from console.supervisor import environment_of
from schemas.codec import Undecodable
from schemas.dispatch import opened
from schemas.released import current, releases
from streaming import topics as kafka_topics
from streaming.partitions import partition_of
from streaming.producer import Producer
from streaming.topics import TopicError
from streaming.watermarks import watermarks

HOUR = 3_600_000_000
NOON = 1_795_348_800_000_000
"""2026-11-22T12:00:00Z"""
OF_RELEASE_1 = Path(__file__).parents[1] / "schemas" / "released" / "1" / "Dispatch"
CALL = {"account_id": "acme", "sid": "s-1", "started_at": 0, "call_type": "inbound"}
ACTION = {
    "action_id": "crm", "version": 1, "name": "CRM", "active": True, "scope": "all_calls",
    "option": "call_detail", "target_url": "http://example.com/", "method": "GET", "parameters": [],
}  # fmt: skip


def failure(error="status", at=NOON):
    return {"error": error, "detail": "why", "status": None, "failed_at": at}


def dispatch(sid="s-1", account="acme", action="crm", error="status", at=NOON, **fields):
    """A dispatch as the dispatcher writes it to `pca.dead`."""
    call = CALL | {"account_id": account, "sid": sid}
    return {
        "dispatch_id": f"{account}/{sid}/{action}", "account_id": account, "action_id": action,
        "sid": sid, "revision": 0, "attempt": 8, "config_version": 4, "action_version": 3,
        "routed_at": at - HOUR, "due_at": None, "phone_label": "Yellow", "leadflow_enabled": True,
        "failure": failure(error, at) if error else None,
        "call_bytes": len(current("CallCompleted").encode(call)),
        "call": call, "action": ACTION | {"action_id": action},
    } | fields  # fmt: skip


def wire(record):
    schema = current("Dispatch")
    return schema.header + schema.encode(record)


def found(*records, **wanted):
    """What the filter finds among dispatches that lie one behind the other."""
    one = Found(Wanted(**wanted))
    for offset, record in enumerate(records):
        one.add(record, 0, 0, offset)
    return one


def sids(records, **wanted):
    return [records[one.offset]["sid"] for one in found(*records, **wanted).chosen()]


# The filter.


def test_each_part_of_the_filter_must_be_met():
    records = [
        dispatch("a"), dispatch("b", action="mail"), dispatch("c", account="zenith"),
        dispatch("d", error="paused"), dispatch("e", error="dns"),
    ]  # fmt: skip
    assert sids(records) == ["a", "b", "c", "d", "e"]
    assert sids(records, account_id="acme") == ["a", "b", "d", "e"]
    assert sids(records, account_id="acme", action_id="crm") == ["a", "d", "e"]
    assert sids(records, errors=frozenset({"paused", "dns"})) == ["d", "e"]
    assert sids(records, account_id="zenith", sid="c") == ["c"]
    assert sids(records, account_id="nobody") == []


def test_since_counts_and_until_does_not():
    records = [dispatch(str(hour), at=NOON + hour * HOUR) for hour in range(4)]
    assert sids(records, since=NOON + HOUR, until=NOON + 3 * HOUR) == ["1", "2"]


def test_one_that_does_not_say_when_it_failed_ended_when_it_was_written():
    one = Found(Wanted(since=NOON))
    one.add(dispatch("early", error=None), NOON - 1, 0, 0)
    one.add(dispatch("late", error=None), NOON, 0, 1)
    assert one.chosen() == [Ended(NOON, 0, 1, Kind("acme", "crm", ""))]


def test_of_several_records_of_a_dispatch_the_last_that_matches_counts():
    records = [dispatch(error="status"), dispatch(error="dns"), dispatch(error="paused")]
    assert found(*records).chosen() == [Ended(NOON, 0, 2, Kind("acme", "crm", "paused"))]
    assert [one.offset for one in found(*records, errors=frozenset({"dns"})).chosen()] == [1]


def test_a_limit_takes_what_ended_first_and_tells_how_many_match():
    records = [dispatch(sid, at=NOON + at) for sid, at in (("c", 3), ("a", 1), ("b", 2))]
    assert sids(records, limit=2) == ["a", "b"]
    assert found(*records, limit=2).matching == 3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["dns", "tls"]), st.integers())))
def test_rows_count_every_dispatch_once(cases):
    records = [dispatch(sid, error=error, at=at) for sid, error, at in cases]
    rows = summary(found(*records).chosen())
    assert sum(row.count for row in rows) == len({sid for sid, _, _ in cases})
    assert all(row.first <= row.last for row in rows)


# What is sent.


def test_all_but_attempt_due_failure_and_routed_at_stays_byte_for_byte(codec):
    dead = dispatch(due_at=7)
    key, value = again(codec, b"\x00\x00\x00\x00\x09", wire(dead), now=NOON + 5)
    anew = {"attempt": 1, "due_at": None, "failure": None, "routed_at": NOON + 5}
    assert (key, value[:5]) == ("acme/crm", b"\x00\x00\x00\x00\x09")
    assert value[5:] == current("Dispatch").encode(dead | anew)


def test_bytes_behind_the_head_are_not_even_looked_at(codec):
    dead = dispatch()
    _, value, rest = opened(codec, wire(dead))
    strange = value[:rest] + b"\xff" * 40
    assert again(codec, b"", strange, now=0)[1].endswith(b"\xff" * 40)


def test_a_dispatch_of_the_first_release_is_brought_up_to_date(codec):
    old = OF_RELEASE_1.with_suffix(".bin").read_bytes()
    known = json.loads(OF_RELEASE_1.with_suffix(".json").read_text())
    assert old.startswith(releases()[1]["Dispatch"].header)
    assert releases()[1]["Dispatch"] is not current("Dispatch")
    _, value = again(codec, current("Dispatch").header, old, now=NOON)
    read = codec.decode(value, "Dispatch")
    anew = {"attempt": 1, "due_at": None, "failure": None, "routed_at": NOON}
    assert {name: read[name] for name in anew} == anew
    kept = ("dispatch_id", "account_id", "action_id", "sid", "action_version", "phone_label")
    assert {name: read[name] for name in kept} == {name: known[name] for name in kept}
    assert read["call"]["sid"] == known["call"]["sid"]


@pytest.mark.parametrize("value", [None, b"", b"GET /", wire(dispatch())[:30]])
def test_what_is_no_dispatch_is_refused(codec, value):
    with pytest.raises(Undecodable):
        opened(codec, value)


# The options.

NO_OPTIONS = {
    "account": None, "action": None, "errors": (), "sid": None, "since": None, "until": None,
    "limit": None, "everything": False,
}  # fmt: skip


def test_options_become_a_filter():
    given_ = {"account": "acme", "action": "crm", "errors": ["paused"], "sid": "s", "limit": 3}
    times = {"since": "2026-11-22T12:00:00Z", "until": "2026-11-22T14:00:00+01:00"}
    assert wanted_by(**NO_OPTIONS | given_ | times) == Wanted(
        "acme", "crm", frozenset({"paused"}), "s", NOON, NOON + HOUR, 3
    )
    assert wanted_by(**NO_OPTIONS | {"everything": True, "limit": 3}) == Wanted(limit=3)


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({}, "or --all"),
        ({"limit": 3}, "or --all"),
        ({"everything": True, "sid": "s"}, "leave it out"),
        ({"everything": True, "account": ""}, "leave it out"),
        ({"action": "crm"}, "needs --account"),
        ({"errors": ["pause"]}, "there are dns, .* paused"),
        ({"errors": [""]}, "there are dns"),
        ({"since": "2026-11-22T00:00:00"}, "write 2026-11-22T00:00:00Z for UTC"),
        ({"until": "2026-11-22"}, "write 2026-11-22T00:00:00Z for UTC"),
        ({"since": "yesterday"}, "is no time; write it as 2026"),
        ({"since": "2026-11-22T02:00:00Z", "until": "2026-11-22T02:00:00Z"}, "is not after"),
    ],
)
def test_options_that_cannot_be_used_say_the_mend(options, mend):
    with pytest.raises(Unusable, match=mend):
        wanted_by(**NO_OPTIONS | options)


def test_an_empty_option_of_a_script_matches_nothing_rather_than_all():
    assert sids([dispatch()], account_id="") == []


def test_the_table_shows_times_that_since_takes_and_nothing_that_steers_a_terminal():
    rows = summary(found(dispatch(account="\x1b[2J"), dispatch("b", at=NOON + HOUR)).chosen())
    assert table(rows).splitlines() == [
        r"account    action  error   dispatches  first ended           last ended",
        r"'\x1b[2J'  crm     status  1           2026-11-22T12:00:00Z  2026-11-22T12:00:00Z",
        r"acme       crm     status  1           2026-11-22T13:00:00Z  2026-11-22T13:00:00Z",
    ]
    nonsense = [replace(rows[0], first=-(2**63), last=2**63 - 1)]
    assert table(nonsense).endswith("  1           ?            ?")


# On a broker.


@pytest.fixture
def settings(kafka, tmp_path):
    return settings_for(kafka, data_dir=tmp_path)


@pytest.fixture(scope="module")
def producer(kafka):
    one = Producer(settings_for(kafka), "test")
    yield one
    one.close(1)


@pytest.fixture
def bury(producer, topics):
    """`bury(dispatch(…), …)`: on `pca.dead`, as the dispatcher would; raw bytes with headers."""

    def write(*records, headers=None):
        with acknowledged() as acks:
            for one in records:
                raw = one is None or isinstance(one, bytes)
                key = "raw" if raw else f"{one['account_id']}/{one['action_id']}"
                value = one if raw else wire(one)
                producer.send(topics.dead, key, value, acks, headers=headers)

    return write


@pytest.fixture
def sent(settings, topics, codec):
    """`sent()`: what lies on `pca.dispatch`, as (key, partition, Dispatch), by sid."""

    def read():
        reader = Consumer(
            dict(settings.kafka) | {"group.id": "reader", "enable.auto.commit": False}
        )
        partitions = range(settings.dispatch_partitions)
        ends = [
            watermarks(reader, topics.dispatch, p, patience=20, answer=5)[1] for p in partitions
        ]
        count = sum(ends)
        reader.assign([TopicPartition(topics.dispatch, p, 0) for p in partitions])
        messages = reader.consume(count, 20) if count else []
        reader.close()
        assert len(messages) == count
        decoded = [
            (m.key().decode(), m.partition(), codec.decode(m.value(), "Dispatch")) for m in messages
        ]
        return sorted(decoded, key=lambda one: one[2]["sid"])

    return read


@pytest.fixture
def pca(settings):
    """`pca("--account", "acme")`: the command against that broker."""

    def run(*options, **changes):
        environment = environment_of(settings.model_copy(update=changes))
        return CliRunner().invoke(app, ["replay", *options], env=environment)

    return run


def test_what_matches_lies_on_the_dispatch_topic_once_under_its_key(settings, bury, sent):
    bury(
        dispatch("a", error="status"), dispatch("a", error="paused", phone_label="newer"),
        dispatch("b"), dispatch("c", account="zenith"), dispatch("d", action="mail"),
    )  # fmt: skip
    result = replay(settings, Wanted(account_id="acme", action_id="crm"))
    home = partition_of("acme/crm", settings.dispatch_partitions)
    (key_a, at_a, a), (key_b, at_b, b) = sent()
    assert (result.count, result.gone) == (2, 0)
    assert (key_a, key_b, at_a, at_b) == ("acme/crm", "acme/crm", home, home)
    assert (a["dispatch_id"], a["phone_label"]) == ("acme/a/crm", "newer")
    assert (b["sid"], b["attempt"], b["due_at"], b["failure"]) == ("b", 1, None, None)
    assert b["routed_at"] > NOON


def test_what_could_not_be_read_is_counted_and_never_sent(settings, bury, sent):
    bury(b"GET / HTTP/1.1", None)
    # Readable by now, but its dispatcher could not.
    bury(wire(dispatch("kept")), headers=[("reason", b"unknown_schema")])
    bury(dispatch("good"))
    result = replay(settings, Wanted())
    assert (result.count, result.found.read, result.found.unreadable) == (1, 1, 3)
    assert [one["sid"] for _, _, one in sent()] == ["good"]


def test_hundreds_over_all_partitions_all_arrive_and_progress_reaches_its_end(settings, bury, sent):
    bury(*(dispatch(f"{n:04}", action=f"a{n % 7}", at=NOON + n) for n in range(2500)))
    reading, sending = [], []
    matching = find(settings, Wanted(limit=2100), lambda *seen: reading.append(seen))
    result = send(settings, matching, lambda *seen: sending.append(seen))
    arrived = sent()
    assert result.count == 2100
    assert [one["sid"] for _, _, one in arrived] == [f"{n:04}" for n in range(2100)]
    assert len({partition for _, partition, _ in arrived}) > 1
    assert (reading[0], reading[-1]) == ((0, 2500), (2500, 2500))
    assert (sending[0], sending[-1]) == ((0, 2100), (2100, 2100))


def test_what_is_written_after_the_start_is_not_read(settings, topics, bury):
    bury(*(dispatch(str(n)) for n in range(3)))
    dead = DeadTopic(settings)
    spans = dead.spans()
    bury(*(dispatch(str(n)) for n in range(3, 9)))
    assert sum(len(batch) for batch in dead.batches(spans)) == 3
    # And again with the same reader, from where it ended on.
    home = partition_of("acme/crm", settings.dispatch_partitions)
    _, high = spans[home]
    rest = [m.offset() for batch in dead.batches({home: (high, high + 6)}) for m in batch]
    assert rest == list(range(high, high + 6))
    dead.close()


def test_nothing_is_committed(settings, topics, bury):
    bury(dispatch())
    replay(settings, Wanted())
    asker = Consumer(dict(settings.kafka) | {"group.id": "pca-dead"})
    known = asker.committed(
        [TopicPartition(topics.dead, p) for p in range(settings.dispatch_partitions)], timeout=20
    )
    asker.close()
    assert {one.offset for one in known} == {OFFSET_INVALID}


def test_what_retention_takes_between_finding_and_sending_is_told(settings, topics, bury, sent):
    bury(dispatch("a"), dispatch("b"), dispatch("c"))
    matching = find(settings, Wanted())
    home = partition_of("acme/crm", settings.dispatch_partitions)
    client = AdminClient(dict(settings.kafka))
    (future,) = client.delete_records([TopicPartition(topics.dead, home, 2)]).values()
    future.result(20)
    result = send(settings, matching)
    assert (result.count, result.gone) == (1, 2)
    assert [one["sid"] for _, _, one in sent()] == ["c"]


@pytest.fixture
def refusing(settings):
    """A dispatch topic that takes no record of more than a hundred bytes. Asked for before
    `topics`, which leaves it so: a limit that is changed later takes its time."""
    name, client = kafka_topics.topics(settings).dispatch, AdminClient(dict(settings.kafka))
    request = NewTopic(name, settings.dispatch_partitions, 1, config={"max.message.bytes": "100"})
    client.create_topics([request])[name].result(20)


def test_a_broker_that_refuses_ends_it_with_the_reason(refusing, settings, bury, pca, sent):
    bury(dispatch())
    result = pca("--all")
    assert result.exit_code == 1
    assert "refuses or does not answer: Broker: Message size too large" in result.stderr
    assert "At least 0 were replayed" in result.stderr
    with pytest.raises(KafkaException):
        replay(settings, Wanted())
    assert sent() == []


def test_without_its_topics_it_fails_and_makes_none(settings, pca):
    with pytest.raises(TopicError, match="PCA_TOPIC_PREFIX"):
        find(settings, Wanted())
    result = pca("--all")
    present = AdminClient(dict(settings.kafka)).list_topics(timeout=20).topics
    assert result.exit_code == 1
    assert f"has no topic {settings.topic_prefix}dead" in result.stderr
    assert not [name for name in present if name.startswith(settings.topic_prefix)]


def test_without_kafka_it_says_where_it_looked(pca, monkeypatch):
    monkeypatch.setattr("console.dead_topic.FIRST_ANSWER", 0.2)
    result = pca("--all", kafka={"bootstrap.servers": "127.0.0.1:1"})
    assert result.exit_code == 1
    assert result.stderr.startswith("pca: Kafka at 127.0.0.1:1 refuses or does not answer: ")
    assert "PCA_KAFKA_BOOTSTRAP_SERVERS" in result.stderr


def test_without_the_schema_registry_nothing_is_sent_and_it_says_so(bury, pca, sent):
    bury(dispatch())
    result = pca("--all", schema_registry_url="http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "(PCA_SCHEMA_REGISTRY_URL says where it is). At least 0 were replayed" in result.stderr
    assert sent() == []


def test_kafka_that_falls_silent_while_it_is_read_is_given_up(settings, monkeypatch):
    monkeypatch.setattr("console.dead_topic.KAFKA_SECONDS", 0.3)
    silent = settings.model_copy(update={"kafka": {"bootstrap.servers": "127.0.0.1:1"}})
    dead = DeadTopic(silent)
    with pytest.raises(KafkaException, match="Timed out"):
        list(dead.batches({0: (0, 5)}))
    dead.close()


def test_an_interruption_says_how_far_it_came(bury, pca, monkeypatch):
    def interrupted(settings, found, progress):
        progress(1, 2)
        raise KeyboardInterrupt

    bury(dispatch("a"), dispatch("b"))
    monkeypatch.setattr("console.commands.replay.send", interrupted)
    result = pca("--all")
    assert result.exit_code == 130
    assert "Interrupted. At least 1 were replayed." in result.stderr


def test_the_command_shows_first_sends_then_and_says_so(bury, pca, sent):
    bury(dispatch("a"), dispatch("b", error="paused", at=NOON + HOUR), dispatch("c", account="z"))
    bury(b"garbage")
    shown = [
        "account  action  error   dispatches  first ended           last ended",
        "acme     crm     paused  1           2026-11-22T13:00:00Z  2026-11-22T13:00:00Z",
        "acme     crm     status  1           2026-11-22T12:00:00Z  2026-11-22T12:00:00Z",
    ]
    dry = pca("--account", "acme", "--dry-run")
    assert dry.exit_code == 0
    assert dry.stdout.splitlines() == [*shown, "A dry run: 2 would be sent again, nothing was."]
    assert sent() == []
    result = pca("--account", "acme")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [*shown, "Replayed 2."]
    assert "still paused ends in pca.dead again" in result.stderr
    assert "1 record(s) that could not be read stay as they are" in result.stderr
    assert [one["sid"] for _, _, one in sent()] == ["a", "b"]


def test_a_limit_says_what_it_leaves(bury, pca, sent):
    bury(*(dispatch(str(n), at=NOON + n) for n in range(5)))
    result = pca("--error", "status", "--limit", "2")
    assert result.stdout.splitlines()[2:] == ["3 more match, beyond --limit.", "Replayed 2."]
    assert "paused" not in result.stderr
    assert [one["sid"] for _, _, one in sent()] == ["0", "1"]


def test_nothing_that_matches_is_said_and_is_no_failure(bury, pca, sent):
    bury(dispatch())
    result = pca("--account", "nobody", "--action", "none")
    assert result.exit_code == 0
    assert result.stdout == "Nothing matches, of 1 record(s) in pca.dead.\n"
    assert sent() == []


@pytest.mark.parametrize("options", [(), ("--since", "2026-11-22T00:00:00"), ("--limit", "0")])
def test_options_that_cannot_be_used_are_exit_2(options):
    assert CliRunner().invoke(app, ["replay", *options]).exit_code == 2

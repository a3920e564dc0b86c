"""The router between a fake loop and a fake producer."""

import io

import fastavro
import pytest
from confluent_kafka import KafkaException

from router.stage import MAX_UNACKNOWLEDGED, TOGETHER, _runs
from schemas.call import MAX_CALL_BYTES
from schemas.configuration import action_key
from schemas.released import current, releases
from streaming.offsets import OffsetTracker
from streaming.partitions import partition_of


def test_a_call_becomes_a_dispatch_keyed_by_its_action(line, codec):
    line.given().action("crm")
    (sent,) = line.take(line.call(sid="s-7"))
    assert (sent.topic, sent.key) == (line.topics.dispatch, action_key("acme", "crm"))
    assert codec.decode(sent.value, "Dispatch")["sid"] == "s-7"


def test_a_call_becomes_one_dispatch_for_each_action_that_runs(line):
    line.given().action("a").action("b").action("off", active=False)
    assert [sent.key for sent in line.take(line.call())] == [
        action_key("acme", "a"),
        action_key("acme", "b"),
    ]


def test_of_many_calls_at_once_each_is_done_in_its_turn(line, codec):
    line.given().action("a").number("+18005550100", "none")
    count = 3 * TOGETHER + 1
    batch = [
        line.call(sid=f"s-{n}", called_e164="+18005550100" if n % 5 == 1 else "+18005550199")
        if n % 5
        else line.record(None)
        for n in range(count)
    ]
    sent = line.take(*batch)
    dispatched = [codec.decode(one.value, "Dispatch")["sid"] for one in sent if one.value]
    assert dispatched == [f"s-{n}" for n in range(count) if n % 5 > 1]
    assert [one.topic for one in sent].count(line.topics.unrouted) == len(range(0, count, 5))


def test_actions_of_one_name_in_two_accounts_have_keys_of_their_own(line):
    line.given("acme").action("crm")
    line.given("zenith").action("crm")
    sent = line.take(line.call("acme"), line.call("zenith"))
    assert len({record.key for record in sent}) == 2


GARBAGE = {
    "null_value": None,
    "not_avro": b"{}",
    "unknown_schema": b"\xc3\x01" + b"\x00" * 20,
    "malformed": current("CallCompleted").header + b"\xff" * 5,
    "wrong_record": current("Action").header + b"\x00" * 5,
    "too_large": current("CallCompleted").header + b"\x00" * MAX_CALL_BYTES,
}


@pytest.mark.parametrize(("reason", "value"), GARBAGE.items(), ids=GARBAGE)
def test_d12_what_is_no_call_is_kept_as_it_came_with_the_reason(line, reason, value):
    (sent,) = line.take(line.record(value, partition=2, key=b"k"))
    kept = (sent.topic, sent.key, sent.value, sent.headers["reason"])
    assert kept == (line.topics.unrouted, b"k", value, reason)


def test_d12_a_call_of_an_unknown_account_is_kept(line):
    line.given("another")
    (sent,) = line.take(line.call("acme"))
    assert (sent.topic, sent.headers["reason"]) == (line.topics.unrouted, "unknown_account")


def test_d12_a_call_of_a_deleted_account_is_kept(line):
    line.given().delete("account", "acme")
    (sent,) = line.take(line.call())
    assert sent.headers["reason"] == "unknown_account"


def test_d12_headers_say_where_the_call_came_from(line):
    line.record(b"first", 1)
    (sent,) = line.take(line.record(b"second", 1))
    place = [sent.headers[name] for name in ("topic", "partition", "offset")]
    assert place == [line.topics.calls, "1", "1"]


def test_a_cut_off_call_is_kept_and_not_dispatched(line, codec, call):
    line.given().action("a")
    value = codec.encode("CallCompleted", call(), "c")
    (sent,) = line.take(line.record(value[:-1]))
    assert sent.headers["reason"] == "malformed"


def test_bytes_behind_a_call_are_not_carried_into_a_dispatch(line, codec, call):
    line.given().action("a")
    (sent,) = line.take(line.record(codec.encode("CallCompleted", call(), "c") + b"\x00"))
    assert sent.headers["reason"] == "malformed"


GARBLED = b"\xff\xfe"
"""No UTF-8, and as long as the text in its place."""


def with_garbled(codec, record, text):
    value = codec.encode("CallCompleted", record, "c")
    assert value.count(text) == 1
    return value.replace(text, GARBLED)


def test_a_text_that_routing_reads_must_be_utf8(line, codec, call):
    line.given().action("a")
    (sent,) = line.take(line.record(with_garbled(codec, call(pool_id="?!"), b"?!")))
    assert (sent.topic, sent.headers["reason"]) == (line.topics.unrouted, "malformed")


def test_a_text_that_routing_does_not_read_is_carried_along_as_it_came(line, codec, call):
    line.given().action("a")
    value = with_garbled(codec, call(click_id="?!"), b"?!")
    (sent,) = line.take(line.record(value, partition_of("acme", 3)))
    assert sent.topic == line.topics.dispatch
    assert value.removeprefix(codec.header("CallCompleted", "c")) in sent.value


def test_a_text_must_be_utf8_where_conditions_have_the_whole_call_read(line, codec, call):
    line.given().action("a", conditions={"tags": ["gold"]})
    value = with_garbled(codec, call(click_id="?!"), b"?!")
    (sent,) = line.take(line.record(value, partition_of("acme", 3)))
    assert (sent.topic, sent.headers["reason"]) == (line.topics.unrouted, "malformed")


def test_conditions_of_an_action_that_does_not_run_have_no_call_read(line, codec, call):
    line.given().action("a").action("b", active=False, conditions={"tags": ["gold"]})
    value = with_garbled(codec, call(click_id="?!"), b"?!")
    (sent,) = line.take(line.record(value, partition_of("acme", 3)))
    assert sent.topic == line.topics.dispatch


def test_what_is_wrong_with_a_call_is_told_with_the_fields_name(line, codec, call):
    value = codec.encode("CallCompleted", call(called_number="12"), "c")
    (sent,) = line.take(line.record(value.replace(b"\x0412", b"\x0312")))
    detail = "not a CallCompleted: called_number: its length goes beyond the end"
    assert sent.headers["detail"] == detail


@pytest.mark.parametrize("conditions", [{"tags": ["gold"]}, {"qualified": "source"}])
def test_conditions_that_look_behind_the_leading_fields_are_judged(line, conditions):
    line.given().action("a", conditions=conditions)
    line.take(line.call(sid="without"))
    line.take(line.call(sid="other", leadflow={"tag": "tin", "source_qualified": False}))
    (sent,) = line.take(line.call(sid="with", leadflow={"tag": "gold", "source_qualified": True}))
    assert line.codec.decode(sent.value, "Dispatch")["sid"] == "with"


def test_conditions_are_judged_anew_when_they_change(line):
    given = line.given().action("a")
    assert len(line.take(line.call())) == 1
    given.action("a", conditions={"tags": ["gold"]})
    assert len(line.take(line.call())) == 1
    given.action("a")
    assert len(line.take(line.call())) == 2


def test_a_call_of_an_older_release_is_carried_in_the_newest(line, codec, call):
    line.given().action("a")
    older = releases()[1]["CallCompleted"]
    plain = io.BytesIO()
    fastavro.schemaless_writer(plain, older.parsed, call(sid="old", talk_seconds=61))
    (sent,) = line.take(line.record(older.header + plain.getvalue(), partition_of("acme", 3)))
    expected = call(sid="old", talk_seconds=61)
    assert codec.decode(sent.value, "Dispatch")["call"] == expected


def test_a_misplaced_call_is_written_to_the_partition_of_its_account(line):
    home = partition_of("acme", 3)
    line.given().action("a")
    misplaced = line.call(partition=(home + 1) % 3)
    (sent,) = line.take(misplaced)
    assert (sent.topic, sent.key, sent.partition) == (line.topics.calls, "acme", home)
    assert sent.value == misplaced[1].value()


def test_a_misplaced_call_is_not_called_unknown(line):
    home = partition_of("acme", 3)
    (sent,) = line.take(line.call(partition=(home + 1) % 3))
    assert sent.topic == line.topics.calls


def test_offsets_complete_only_when_all_outputs_of_the_batch_are_acknowledged(line):
    line.given().action("a").action("b")
    line.take(line.call(), line.call())
    line.producer.acknowledge(3)
    assert line.loop.completed == []
    line.producer.acknowledge(1)
    assert line.loop.completed == [(partition_of("acme", 3), 0, 2)]


def test_a_batch_with_no_outputs_completes_at_once(line):
    line.given()
    line.take(line.call(), line.call())
    assert line.loop.completed == [(partition_of("acme", 3), 0, 2)]


def test_answers_that_come_before_the_batch_ends_complete_nothing_early(line):
    line.given().action("a")
    send = line.producer.send

    def send_and_hear_at_once(*args, **kwargs):
        send(*args, **kwargs)
        line.producer.acknowledge()
        assert line.loop.completed == []

    line.producer.send = send_and_hear_at_once
    line.take(line.call(), line.call())
    assert line.loop.completed == [(partition_of("acme", 3), 0, 2)]


def test_a_refused_output_fails_the_loop_and_completes_nothing(line):
    line.given().action("a").action("b")
    line.take(line.call())
    line.producer.refuse()
    line.producer.acknowledge()
    assert line.loop.completed == []
    assert [type(failure) for failure in line.loop.failures] == [KafkaException]


def test_a_refused_unrouted_record_fails_the_loop_too(line):
    line.take(line.record(b"{}"))
    line.producer.refuse()
    assert (line.loop.completed, len(line.loop.failures)) == ([], 1)


def test_one_bad_call_does_not_keep_its_neighbours(line):
    line.given().action("a")
    home = partition_of("acme", 3)
    sent = line.take(line.call(), line.record(b"{}", home), line.call())
    topics = sorted(record.topic for record in sent)
    assert topics == [line.topics.dispatch, line.topics.dispatch, line.topics.unrouted]


def test_a_foreign_called_number_does_not_stop_the_router(line):
    line.given().action("a")
    (sent,) = line.take(line.call(called_number="anonymous", called_e164="anonymous"))
    assert sent.topic == line.topics.dispatch


def test_no_more_is_read_while_too_much_is_unacknowledged(line):
    line.producer.waiting = [None] * MAX_UNACKNOWLEDGED
    assert not line.stage.has_room()


def test_there_is_room_as_soon_as_the_broker_answers(line):
    assert line.stage.has_room()


def test_the_configuration_beside_the_calls_is_followed(line):
    line.stage.assigned([(line.topics.calls, 2), (line.topics.calls, 0)])
    assert line.table.followed == [[0, 2]]


def test_calls_wait_while_the_configuration_beside_them_is_loading(line):
    line.table.still_loading = {1}
    assert list(line.stage.closed()) == [(line.topics.calls, 1)]


def test_d9_newer_configuration_is_read_on_every_turn(line):
    line.stage.turn()
    assert line.table.polls == 1


@pytest.mark.parametrize(
    ("batch", "runs"),
    [
        ([], []),
        ([(0, 5)], [(0, 5, 6)]),
        ([(0, 5), (0, 6), (0, 7)], [(0, 5, 8)]),
        ([(0, 5), (0, 7)], [(0, 5, 6), (0, 7, 8)]),
        ([(0, 5), (1, 6), (0, 6)], [(0, 5, 6), (1, 6, 7), (0, 6, 7)]),
    ],
)
def test_a_batch_is_told_as_runs_of_neighbouring_offsets(message_at, batch, runs):
    trackers = [OffsetTracker("t", 0), OffsetTracker("t", 1)]
    taken = [(trackers[partition], message_at(offset)) for partition, offset in batch]
    assert [(t.partition, first, end) for t, first, end in _runs(taken)] == runs

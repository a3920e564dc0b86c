"""`POST /v1/calls`: all of a batch or nothing, and only once Kafka has it."""

from __future__ import annotations

import asyncio
import json

import pytest
from confluent_kafka import KafkaError
from prometheus_client import REGISTRY

from producer.intake import MAX_QUEUED_BYTES
from schemas.call import MAX_CALL_BYTES


async def test_one_call_is_accepted(door, call):
    response = await door.post(call(sid="s-7", talk_seconds=61))
    assert (response.status_code, response.json()) == (202, {"accepted": 1})
    assert [(r["sid"], r["talk_seconds"]) for r in door.written()] == [("s-7", 61)]


async def test_an_array_is_accepted_in_its_order(door, call):
    response = await door.post([call(sid=str(i)) for i in range(5)])
    assert response.json() == {"accepted": 5}
    assert [r["sid"] for r in door.written()] == list("01234")


@pytest.mark.parametrize(
    "kind", ["application/x-ndjson", "application/ndjson", "Application/JSONL; charset=UTF-8"]
)
async def test_a_call_a_line_is_accepted(door, ndjson, kind):
    body = b"\r\n" + ndjson(3).replace(b"\n", b"\r\n\n  \n") + b"\n\n"
    response = await door.post(body, kind)
    assert response.json() == {"accepted": 3}
    assert [r["sid"] for r in door.written()] == ["s-0", "s-1", "s-2"]


async def test_a_record_is_keyed_by_its_account(door, call):
    await door.post([call(account_id="a"), call(account_id="b")])
    assert [(topic, key) for topic, key, _ in door.sender.records] == [
        ("pca.calls", "a"), ("pca.calls", "b")]  # fmt: skip


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
async def test_an_empty_batch_is_nothing_to_do(door, kind):
    response = await door.post(b"[]" if kind == "application/json" else b"\n \n", kind)
    assert (response.status_code, response.json()) == (202, {"accepted": 0})


async def test_ten_thousand_calls_fit_in_one_request(door, ndjson):
    response = await door.lines(ndjson(10_000))
    assert response.json() == {"accepted": 10_000}
    assert len({r["sid"] for r in door.written()}) == 10_000


async def test_one_bad_call_among_ten_thousand_refuses_them_all(door, ndjson):
    response = await door.lines(ndjson(10_000, bad={9_999: {"talk_seconds": -1}}))
    assert response.status_code == 422
    assert response.json()["errors"] == [{"index": 9_999, "path": "talk_seconds",
        "reason": "Input should be greater than or equal to 0", "given": "-1"}]  # fmt: skip
    assert door.sender.records == []


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
async def test_every_fault_is_told_with_index_and_path(door, call, kind):
    calls = [call(), call(lookup={"zip": "1"}), call(), call(started_at="yesterday", call_type="")]
    array = json.dumps(calls).encode()
    lines = b"\n".join(json.dumps(c).encode() for c in calls)
    response = await door.post(array if kind == "application/json" else lines, kind)
    assert response.headers["content-type"] == "application/problem+json"
    assert [(e["index"], e["path"], e["given"]) for e in response.json()["errors"]] == [
        (1, "lookup.zip", "1"), (3, "started_at", "yesterday"), (3, "call_type", "")]  # fmt: skip
    assert response.json()["refused"] == 2
    assert response.json()["detail"].startswith(
        "2 of 4 calls are refused and none was written; call 1, lookup.zip: "
    )


@pytest.mark.parametrize("as_array", [True, False])
async def test_at_most_twenty_faults_are_listed_and_all_are_counted(door, call, as_array):
    calls = [call(sid="") for _ in range(100)]
    lines = b"\n".join(json.dumps(c).encode() for c in calls)
    response = await (door.post(calls) if as_array else door.lines(lines))
    assert (len(response.json()["errors"]), response.json()["refused"]) == (20, 100)


@pytest.mark.parametrize("element", [1, "x", None, [], True, 1.5])
async def test_what_is_no_object_is_refused(door, call, element):
    response = await door.post([call(), element])
    assert (response.status_code, response.json()["errors"][0]["index"]) == (422, 1)


@pytest.mark.parametrize(
    ("body", "kind", "where"),
    [
        (b"", "application/json", "line 1 column 0"),
        (b"{", "application/json", "line 1 column 1"),
        (b'[{"a":1},\n ?]', "application/json", "line 2 column 2"),
        (b'[{"a":1},]', "application/json", "line 1 column 10"),
        (b"\n{}\n\n{bad}", "application/x-ndjson", "line 4 column 2"),
        (b'{"a":1} {"b":1}', "application/x-ndjson", "line 1 column 9"),
        (b"\xff\xfe{\x00}\x00", "application/json", "line 1 column 1"),
    ],
)
async def test_what_is_no_json_is_refused_with_its_place(door, body, kind, where):
    response = await door.post(body, kind)
    assert (response.status_code, response.json()["title"]) == (400, "Malformed JSON")
    assert where in response.json()["detail"]
    assert door.sender.records == []


async def test_a_malformed_line_is_told_by_its_index_too(door, call):
    body = json.dumps(call()).encode() + b"\n\n{bad}"
    assert (await door.lines(body)).json()["errors"][0]["index"] == 1


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        'application/json;charset="UTF-16"',
    ],
)
async def test_another_kind_of_body_is_refused(door, call, kind):
    response = await door.post(call(), kind)
    assert response.status_code == 415
    assert "application/x-ndjson" in response.headers["accept"]


async def test_a_compressed_body_is_refused(door, call):
    response = await door.post(call(), Content_Encoding="gzip")
    assert (response.status_code, response.headers["accept-encoding"]) == (415, "identity")


async def test_a_body_over_the_limit_is_refused(new_door, call):
    door = new_door(producer_max_body_bytes=1000)
    response = await door.post(call(phone_label="x" * 1000))
    assert (response.status_code, response.json()["title"]) == (413, "Content Too Large")


async def test_a_body_of_unannounced_length_over_the_limit_is_refused(new_door, call):
    async def chunks():
        for _ in range(20):
            yield b" " * 100

    door = new_door(producer_max_body_bytes=1000)
    response = await door.client.post(
        "/v1/calls", content=chunks(), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 413


@pytest.mark.parametrize("as_array", [True, False])
async def test_more_calls_than_may_ever_wait_are_refused(new_door, call, ndjson, as_array):
    door = new_door(producer_max_queued=3)
    response = await (door.post([call()] * 4) if as_array else door.lines(ndjson(4)))
    assert response.status_code == 413
    assert "may hold 3 calls" in response.json()["detail"]


async def test_a_call_too_large_for_the_topics_is_refused_as_a_bad_one(door, call):
    large = call(phone_label="x" * MAX_CALL_BYTES)
    response = await door.post([call(), large])
    assert response.status_code == 422
    assert response.json()["errors"][0]["index"] == 1
    assert "a call may hold 524,288" in response.json()["errors"][0]["reason"]
    assert door.sender.records == []


# The key.


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic k", "k"])
async def test_without_the_key_nothing_is_taken(door, call, authorization):
    response = await door.post(call(), Authorization=authorization)
    assert (response.status_code, door.sender.records) == (401, [])


# Hostile bodies.


async def test_deeply_nested_json_is_refused(door):
    assert (await door.post(b"[" * 1_000_000)).status_code == 400
    assert (await door.lines(b'{"a":' * 100_000)).status_code == 400


async def test_deeply_nested_json_with_a_lone_surrogate_is_refused(door):
    assert (await door.post(b"[" * 1_000_000 + b'"\\ud800"')).status_code == 400


async def test_a_string_of_a_megabyte_is_refused_and_given_back_shortened(door, call):
    response = await door.post(call(sid="x" * 1_000_000))
    assert response.status_code == 422
    assert len(response.content) < 2000


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 4000, "-0.0", "61.0"]
)
async def test_numbers_that_are_no_seconds_are_refused(door, call, value):
    body = json.dumps(call(talk_seconds=12345)).replace("12345", value).encode()
    assert (await door.post(b"[" + body + b"]")).status_code == 422
    assert (await door.lines(body)).status_code == 422


async def test_a_number_of_five_thousand_digits_is_no_json(door, call):
    body = json.dumps(call(talk_seconds=12345)).replace("12345", "1" * 5000).encode()
    assert (await door.post(body)).status_code == 400


async def test_the_last_of_duplicate_names_counts(door, call):
    body = json.dumps(call()).encode().replace(b'"sid": "s-1"', b'"sid": "a", "sid": "b"')
    await door.post(body)
    assert door.written()[0]["sid"] == "b"


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
async def test_a_byte_order_mark_is_overlooked(door, call, kind):
    response = await door.post(b"\xef\xbb\xbf" + json.dumps(call()).encode(), kind)
    assert response.status_code == 202


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
async def test_invalid_text_is_repaired(door, call, kind):  # D24
    body = json.dumps(call(phone_label="@")).encode().replace(b"@", b"a\xff\\ud800b")
    await door.post(body, kind)
    assert door.written()[0]["phone_label"] == "a\ufffd\ufffdb"


async def test_four_million_numbers_are_refused_at_once(door):
    response = await door.post(b"[" + b"1," * 3_900_000 + b"1]")
    assert response.status_code == 413


async def test_fifty_thousand_empty_objects_are_refused(door):
    response = await door.post(b"[" + b"{}," * 49_999 + b"{}]")
    assert (response.status_code, response.json()["refused"]) == (422, 50_000)


# Kafka.


async def test_the_answer_waits_for_kafkas(door, call):
    door.sender.hold = True
    posting = asyncio.create_task(door.post([call(), call()]))
    await door.sender.holds(2)
    assert not posting.done()
    door.sender.release()
    assert (await posting).status_code == 202


async def test_a_failed_delivery_is_told_with_how_to_go_on(door, call, timed_out):
    door.sender.error = timed_out
    response = await door.post([call(), call()])
    assert (response.status_code, response.json()["title"]) == (503, "Kafka away")
    assert int(response.headers["retry-after"]) > 0
    assert "Some may nevertheless arrive" in response.json()["detail"]
    assert "the same sid and revision give the same dispatch ids" in response.json()["detail"]


async def test_one_failure_among_many_fails_the_batch(door, call, timed_out):
    door.sender.hold = True
    posting = asyncio.create_task(door.post([call()] * 3))
    await door.sender.holds(3)
    door.sender._held[0](timed_out, None)
    door.sender.release()
    assert (await posting).status_code == 503


async def test_after_a_failed_delivery_nothing_is_tried_until_kafka_answers(door, call, timed_out):
    door.sender.error = timed_out
    await door.post(call())
    assert "the last delivery failed" in (await door.client.get("/readyz")).json()["detail"]
    response = await door.post(call())
    assert "No call was written" in response.json()["detail"]
    assert len(door.sender.records) == 1
    door.sender.error = None
    door.watch.delivered()
    assert (await door.post(call())).status_code == 202
    assert (await door.client.get("/readyz")).status_code == 200


async def test_before_kafka_has_answered_calls_are_refused(door, call):
    door.watch.reason = "Kafka at 127.0.0.1:1 does not answer"
    response = await door.post(call())
    assert response.status_code == 503
    assert response.json()["detail"] == "Kafka at 127.0.0.1:1 does not answer. No call was written."
    assert (await door.client.get("/healthz")).status_code == 200


async def test_a_full_queue_is_told_before_anything_is_written(new_door, call):
    door = new_door(producer_max_queued=10)
    door.sender.waiting = 8
    response = await door.post([call()] * 3)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert door.sender.records == []
    assert (await door.post([call()] * 2)).status_code == 202


async def test_what_waits_is_limited_in_bytes_too(door, call):
    door.intake._queued_bytes = MAX_QUEUED_BYTES - 10
    assert (await door.post(call())).json()["title"] == "Too many calls are waiting"
    door.intake._queued_bytes = 0
    assert (await door.post(call())).status_code == 202
    assert door.intake._queued_bytes == 0


async def test_failed_calls_make_room_again(door, call, timed_out):
    door.sender.error = timed_out
    await door.post(call())
    assert door.intake._queued_bytes == 0


async def test_a_client_that_goes_leaves_its_calls_to_kafka(door, call):
    door.sender.hold = True
    posting = asyncio.create_task(door.post(call()))
    await door.sender.holds(1)
    posting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await posting
    door.sender.release()
    await asyncio.sleep(0)
    assert door.intake._queued_bytes == 0
    door.sender.hold = False
    assert (await door.post(call())).status_code == 202


async def test_a_producer_that_refuses_in_the_middle_is_an_unavailable_kafka(door, call):
    door.sender.refuse_after = 2
    response = await door.post([call()] * 3)
    assert response.status_code == 503
    assert door.intake._queued_bytes == 0


async def test_a_fatal_error_ends_the_process(door, call):
    door.sender.error = KafkaError(KafkaError._FENCED, "fenced", fatal=True)
    assert (await door.post(call())).status_code == 503
    assert door.ended


async def test_fifty_requests_at_once_are_all_answered(door, ndjson):
    responses = await asyncio.gather(*(door.lines(ndjson(100)) for _ in range(50)))
    assert {r.status_code for r in responses} == {202}
    assert len(door.sender.records) == 5000


# What it tells.


def sample(name: str, **labels) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_accepted_calls_and_refused_requests_are_counted(door, call, timed_out):
    def counts() -> list[float]:
        refused = "pca_calls_refused_total"
        accepted = sample("pca_calls_accepted_total")
        return [accepted, *(sample(refused, reason=r) for r in ("invalid", "unavailable"))]

    before = counts()
    await door.post([call()] * 3)
    await door.post([call(sid=""), call(sid="")])
    door.sender.error = timed_out
    await door.post(call())
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [3, 1, 1]


async def test_the_api_is_described_with_the_shape_of_a_call(door):
    document = (await door.client.get("/openapi.json")).json()
    content = document["paths"]["/v1/calls"]["post"]["requestBody"]["content"]
    assert {"application/json", "application/x-ndjson"} <= content.keys()
    assert "leadflow" in document["components"]["schemas"]["Call"]["properties"]
    assert "Cake" in document["components"]["schemas"]


async def test_metrics_are_served(door):
    assert b"pca_calls_accepted_total" in (await door.client.get("/metrics")).content

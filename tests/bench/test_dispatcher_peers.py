"""The peers of our dispatcher do its work: the same requests, attempts and retries."""

import sys
from collections import Counter
from urllib.parse import urlsplit

import pytest
from building import BUILDS
from line import eventually

from bench.certificates import issue
from bench.load import Endpoint
from bench.receiver import Receiver
from bench.render import call
from deploy.ports import free_port, is_free
from dispatcher.render import compile_action
from schemas.codec import decode_body
from schemas.configuration import action_key
from schemas.released import current

TRUSTING = {"verify": True, "client_certificate": "", "client_key": ""}
COUNT = 300
ENDPOINTS = 10
UNUSUAL = (
    {},
    {"talk_seconds": None, "recording_seconds": None, "lookup": None},
    {"talk_seconds": None, "intelligent_seconds": None, "phone_label": "a+b&c=d%/ü~*\0\n€𝄞"},
    {"caller_id": "anonymous", "caller_e164": "", "called_e164": "+442079460000"},
    {"started_at": -1, "call_type": "click-to", "last_action": ""},
    {"started_at": 1_793_511_000_000_000, "talk_seconds": 0, "call_type": "Fax/2"},
    {"started_at": 2**62, "talk_seconds": -5, "intelligent_seconds": 1},
)
pytestmark = BUILDS


@pytest.fixture(params=["obvious", "go", "vertx", "jdk"])
def peer(request):
    return request.param


@pytest.fixture
def command(peer, request):
    if peer == "obvious":
        return [sys.executable, "-m", "bench.peers.obvious"]
    if peer == "go":
        return [request.getfixturevalue("go"), "dispatcher"]
    return [*request.getfixturevalue("java"), peer]


@pytest.fixture
def sink(start, tmp_path):
    """The address of a receiver whose requests are lines in the file `received`."""
    port = free_port()
    start([sys.executable, "-m", "bench.sink", str(port), str(tmp_path / "received")])
    eventually(lambda: not is_free(port))  # some peers begin sooner than it
    return f"http://127.0.0.1:{port}"


def _dispatch(codec, number, url, **call_fields):
    """A Dispatch record as it is read from Kafka: the n-th call for one of the endpoints."""
    endpoint = Endpoint(number % ENDPOINTS, 1)
    plain = codec.header("Dispatch", "") + endpoint.dispatch(number, 1_782_914_700_000_000)
    record = codec.decode(plain, "Dispatch")
    schema = current("CallCompleted")
    made = call(number) | call_fields | {"account_id": endpoint.account, "sid": str(number)}
    return record | {
        "phone_label": f"Größe {number}" if number % 2 else "",
        "reverse_lookup_enabled": number % 3 > 0,
        "call": decode_body(schema.encode(made), 0, schema),
        "call_bytes": len(schema.encode(made)),
        "action": record["action"] | {"target_url": url},
    }


def _write(line, codec, records):
    line.write(
        (
            line.topics.dispatch,
            action_key(record["account_id"], record["action_id"]),
            codec.encode("Dispatch", record, ""),
            -1,
        )
        for record in records
    )


def _attempts(line, codec, count):
    messages = line.read(line.topics.attempts, count, timeout=40)
    assert line.count(line.topics.attempts) == count
    attempts = [codec.decode(message.value(), "Attempt") for message in messages]
    keys = [message.key().decode() for message in messages]
    assert keys == [attempt["account_id"] for attempt in attempts]
    return attempts


def _check_delivered(attempt, record):
    request = compile_action(record["action"]).request(record, attempt["started_at"])
    assert attempt["url"] == request.url
    assert attempt["request_headers"] == request.headers
    same = ("account_id", "dispatch_id", "action_id", "sid", "revision", "attempt")
    versions = ("config_version", "action_version")
    assert {f: attempt[f] for f in same + versions} == {f: record[f] for f in same + versions}
    assert (attempt["method"], attempt["status"], attempt["outcome"]) == ("GET", 204, "delivered")
    assert not any(attempt[f] for f in ("error", "error_detail", "fault", "next_at"))
    assert (attempt["response_headers"], attempt["response_body"]) == ({}, b"")
    assert 0 < attempt["first_byte_us"] <= attempt["duration_us"] < 15_000_000


def _check_connections(attempts, peer):
    """Only some clients tell."""
    if peer in ("go", "vertx"):
        assert {attempt["address"] for attempt in attempts} == {
            urlsplit(attempt["url"]).netloc for attempt in attempts
        }
        assert sum(attempt["reused"] for attempt in attempts) >= COUNT - 64
    else:
        assert not any(attempt["address"] or attempt["reused"] for attempt in attempts)


def test_dispatches_become_our_requests_and_attempts(
    line, codec, start, sink, peer, command, lag, tmp_path
):
    url = f"{sink}/handler.php?client_id=1234"
    unusual = [UNUSUAL[number % len(UNUSUAL)] for number in range(COUNT)]
    records = [_dispatch(codec, number, url, **unusual[number]) for number in range(COUNT)]
    _write(line, codec, records)
    process = start(command)

    of_sid = {record["sid"]: record for record in records}
    attempts = _attempts(line, codec, COUNT)
    for attempt in attempts:
        _check_delivered(attempt, of_sid.pop(attempt["sid"]))
    _check_connections(attempts, peer)
    eventually(lambda: lag("pca-dispatcher", line.topics.dispatch) == 0, 10, every=0.2)
    process.terminate()
    process.wait(10)

    expected = Counter()
    for record in records:
        parts = urlsplit(compile_action(record["action"]).request(record, 0).url)
        expected[f"{parts.path}?{parts.query}", record["dispatch_id"]] += 1
    received = (tmp_path / "received").read_text().splitlines()
    assert Counter(tuple(request.split()[1:]) for request in received) == expected
    assert all("Picked up" in error for error in (tmp_path / "errors").read_text().splitlines())


def test_what_fails_is_written_on(line, codec, start, sink, command, lag):
    urls = [f"{sink}/status/500/", f"{sink}/status/410/", f"http://127.0.0.1:{free_port()}/"]
    records = [_dispatch(codec, number, url) for number, url in enumerate(urls)]
    _write(line, codec, records)
    process = start(command)

    attempts = {attempt["sid"]: attempt for attempt in _attempts(line, codec, len(urls))}
    said = {sid: (one["outcome"], one["status"]) for sid, one in attempts.items()}
    assert said == {"0": ("retry", 500), "1": ("dead", 410), "2": ("retry", None)}
    assert [attempts[sid]["error"] for sid in "01"] == ["status", "status"]
    assert attempts["2"]["error"] in ("connect", "closed")
    for topic, count in ((line.topics.retry("5s"), 2), (line.topics.dead, 1)):
        for message in line.read(topic, count):
            found = codec.decode(message.value(), "Dispatch")
            before, attempt = records[int(found["sid"])], attempts[found["sid"]]
            assert message.key().decode() == action_key(found["account_id"], found["action_id"])
            assert found["attempt"] == before["attempt"] + (attempt["outcome"] == "retry")
            assert found["due_at"] == attempt["next_at"]
            failure = found["failure"]
            assert (failure["error"], failure["status"]) == (attempt["error"], attempt["status"])
            same = found.keys() - {"attempt", "due_at", "failure"}
            assert {f: found[f] for f in same} == {f: before[f] for f in same}
    eventually(lambda: lag("pca-dispatcher", line.topics.dispatch) == 0, 10, every=0.2)
    process.terminate()
    process.wait(10)


def test_an_actions_own_authority_is_trusted(line, codec, go, start, command, tmp_path):
    certificate = issue(tmp_path, ["127.0.0.1"])
    with Receiver(certificate=certificate) as receiver:
        url = f"https://127.0.0.1:{receiver.origin_port}/"
        trusting, wary = (_dispatch(codec, number, url) for number in range(2))
        trusting["action"]["tls"] = TRUSTING | {"ca": certificate.authority}
        _write(line, codec, [trusting, wary])
        start(command)
        attempts = {attempt["sid"]: attempt for attempt in _attempts(line, codec, 2)}
        assert receiver.count() == 1
    assert (attempts["0"]["status"], attempts["0"]["outcome"]) == (200, "delivered")
    assert (attempts["1"]["status"], attempts["1"]["outcome"]) == (None, "retry")


@pytest.mark.parametrize("peer", ["go", "vertx"])
def test_what_a_peer_does_not_do_ends_visibly(line, codec, start, command):
    record = _dispatch(codec, 0, "http://127.0.0.1:9/")
    record["action"]["parameters"] = [{"name": "p", "placeholder": "netget_status"}]
    _write(line, codec, [record])
    start(command)
    (attempt,) = _attempts(line, codec, 1)
    assert (attempt["outcome"], attempt["error"]) == ("dead", "unsupported")
    assert (attempt["status"], attempt["fault"]) == (None, "ours")
    assert "netget_status" in attempt["error_detail"]
    (dead,) = line.read(line.topics.dead, 1)
    assert codec.decode(dead.value(), "Dispatch")["failure"]["error"] == "unsupported"


def test_go_tells_how_long_each_step_took(line, codec, go, start, tmp_path):
    certificate = issue(tmp_path, ["127.0.0.1"])
    with Receiver(certificate=certificate) as receiver:
        record = _dispatch(codec, 0, f"https://127.0.0.1:{receiver.tls_port}/")
        record["action"]["tls"] = TRUSTING | {"ca": certificate.authority}
        _write(line, codec, [record])
        start([go, "dispatcher"])
        (attempt,) = _attempts(line, codec, 1)
    assert min(attempt["connect_us"], attempt["tls_us"]) > 0
    assert attempt["connect_us"] + attempt["tls_us"] <= attempt["first_byte_us"]
    assert attempt["first_byte_us"] <= attempt["duration_us"]
    assert (attempt["reused"], attempt["response_body"]) == (False, b"ok")
    assert set(attempt["response_headers"]) == {"Date", "Content-Type", "Content-Length"}

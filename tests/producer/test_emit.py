"""`pca emit`: a file of calls to a gateway that listens on a real port."""

from __future__ import annotations

import io
import json
import re
import threading
import time

import httpx
import pytest
import typer
import uvicorn
from typer.testing import CliRunner

from producer import emit as emit_module
from producer.emitter import GIVE_UP_AFTER, MAX_BATCH_BYTES, Emitter, Lines, Stopped, batches

app = typer.Typer()
app.command()(emit_module.emit)


@pytest.fixture
def served(new_door):
    """`served()`: a door whose gateway listens at `door.url`."""
    servers = []

    def serve(**settings):
        door = new_door(**settings)
        server = uvicorn.Server(uvicorn.Config(door.app, port=0, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run)
        thread.start()
        servers.append((server, thread))
        while not server.started:
            time.sleep(0.001)
        door.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        return door

    yield serve
    for server, thread in servers:
        server.should_exit = True
        thread.join()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """`run(url, text, "--batch", "2")`: the result of emitting a file `calls.ndjson`."""
    monkeypatch.chdir(tmp_path)

    def emit(url: str, text: bytes, *options: str, file: str = "calls.ndjson", key: str = "k"):
        (tmp_path / "calls.ndjson").write_bytes(text)
        arguments = [file, "--url", url, "--key", key, *options]
        return CliRunner().invoke(app, arguments, input=text if file == "-" else None)

    return emit


@pytest.mark.parametrize("file", ["calls.ndjson", "-"])
def test_every_call_of_a_file_arrives_in_its_order(served, run, ndjson, file):
    door = served()
    result = run(door.url, ndjson(1234), "--batch", "100", file=file)
    assert result.exit_code == 0
    assert [r["sid"] for r in door.written()] == [f"s-{i}" for i in range(1234)]
    assert re.fullmatch(r"1,234 calls in \d+\.\d s, [\d,]+ a second\n", result.stderr)


def test_a_refused_batch_names_file_line_path_and_reason(served, run, ndjson):
    text = b"\xef\xbb\xbf\n" + ndjson(9, bad={6: {"sid": "", "talk_seconds": -1}}).replace(
        b"\n", b"\n\n"
    )
    door = served()
    result = run(door.url, text, "--batch", "4")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "calls.ndjson:14: sid: String should have at least 1 character",
        "calls.ndjson:14: talk_seconds: Input should be greater than or equal to 0",
        "lines 10 to 16 were refused together (1 at fault) and nothing after them was sent."
        " 4 calls were accepted before.",
    ]
    assert len(door.written()) == 4


def test_a_malformed_line_is_named(served, run, ndjson):
    result = run(served().url, ndjson(3) + b"\n{bad}\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("calls.ndjson:4: is no JSON: ")


def test_a_wrong_key_is_told(served, run, ndjson):
    result = run(served().url, ndjson(3), key="wrong")
    assert result.exit_code == 1
    assert "the gateway answered 401: Send the key as" in result.stderr


def test_without_a_gateway_one_sentence_says_where_it_was_sought(run, ndjson, unused_port):
    url = f"http://127.0.0.1:{unused_port}"
    result = run(url, ndjson(3))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"no gateway answers at {url}")
    assert "PCA_PRODUCER_URL" in result.stderr
    assert result.stderr.endswith("0 calls were accepted before.\n")


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://127.0.0.1", "http://"])
def test_what_is_no_url_is_told(run, ndjson, url):
    result = run(url, ndjson(1))
    assert result.exit_code == 1
    assert "0 calls were accepted before." in result.stderr


def test_a_file_that_is_not_there_is_told(run):
    result = run("http://127.0.0.1:1", b"", file="missing.ndjson")
    assert (result.exit_code, "missing.ndjson" in result.stderr) == (2, True)


def test_settings_that_cannot_be_used_are_told(run, monkeypatch):
    monkeypatch.setenv("PCA_PRODUCER_PORT", "eighty")
    result = run("http://127.0.0.1:1", b"")
    assert (result.exit_code, "PCA_PRODUCER_PORT" in result.stderr) == (2, True)


def test_an_interruption_says_how_many_were_accepted(run, served, ndjson, monkeypatch):
    door = served()
    send = Emitter.send

    def interrupted(emitter, batch):
        if emitter.accepted == 4:
            raise KeyboardInterrupt
        send(emitter, batch)

    monkeypatch.setattr(Emitter, "send", interrupted)
    result = run(door.url, ndjson(10), "--batch", "2")
    assert result.exit_code == 130
    assert result.stderr == "Interrupted. 4 calls were accepted.\n"


def test_an_empty_file_is_no_fault(run, served):
    result = run(served().url, b"\n\n")
    assert (result.exit_code, result.stderr[:7]) == (0, "0 calls")


# Batches.


def sizes(text: bytes, size: int) -> list[int]:
    return [len(batch) for batch in batches(io.BytesIO(text), size)]


def test_batches_are_full_but_for_the_last():
    assert sizes(b"{}\n" * 7, 3) == [3, 3, 1]


def test_a_batch_of_large_calls_is_posted_early():
    line = b"x" * (MAX_BATCH_BYTES // 2 - 10) + b"\n"
    assert sizes(line * 5, 500) == [2, 2, 1]


def test_a_line_that_never_ends_stops_without_being_read_whole():
    endless = io.BytesIO(b"{}\n" + b"x" * (3 * MAX_BATCH_BYTES))
    with pytest.raises(Stopped, match="line 2 is longer than"):
        list(batches(endless, 500))
    assert endless.tell() < 2 * MAX_BATCH_BYTES


# Answers of a gateway.


class Gateway:
    """Answers 503 so many times, and remembers what was said and slept."""

    def __init__(self, refusals: int, retry_after: str = "2") -> None:
        self.refusals = refusals
        self.retry_after = retry_after
        self.notes: list[str] = []
        self.slept: list[float] = []
        client = httpx.Client(transport=httpx.MockTransport(self.answer))
        self.emitter = Emitter(client, "http://g/", "f", self.notes.append, self.slept.append)

    def answer(self, _: httpx.Request) -> httpx.Response:
        if self.refusals:
            self.refusals -= 1
            headers = {"Retry-After": self.retry_after}
            return httpx.Response(503, headers=headers, json={"detail": "Kafka is away."})
        return httpx.Response(202, json={"accepted": 1})


ONE = Lines([1], [b"{}"], 3)


def test_an_unavailable_kafka_is_waited_for_with_a_note():
    gateway = Gateway(refusals=2)
    gateway.emitter.send(ONE)
    assert gateway.slept == [2.0, 2.0]
    assert gateway.notes == ["Kafka is away. Trying again in 2 s."] * 2
    assert gateway.emitter.accepted == 1


def test_patience_ends():
    gateway = Gateway(refusals=10**6)
    with pytest.raises(Stopped, match=r"given up after 120 s: Kafka is away\."):
        gateway.emitter.send(ONE)
    assert sum(gateway.slept) == GIVE_UP_AFTER


@pytest.mark.parametrize(
    ("header", "pause"), [("0", 0.1), ("-5", 1.0), ("9999", 30.0), ("soon", 1.0), ("nan", 1.0)]
)
def test_a_strange_retry_after_is_put_right(header, pause):
    gateway = Gateway(refusals=1, retry_after=header)
    gateway.emitter.send(ONE)
    assert gateway.slept == [pause]


def test_a_gateway_that_breaks_off_is_told_and_repeating_is_called_safe():
    def broken(request):
        raise httpx.RemoteProtocolError("peer closed", request=request)

    client = httpx.Client(transport=httpx.MockTransport(broken))
    with pytest.raises(Stopped, match="may have arrived, and sending it again is safe"):
        Emitter(client, "http://g", "f", print).send(ONE)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"x"', json.dumps({"errors": None}).encode()])
def test_an_answer_that_is_no_problem_is_shown(body):
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(404, content=body))
    )
    with pytest.raises(Stopped, match="the gateway answered 404"):
        Emitter(client, "http://g", "f", print).send(ONE)

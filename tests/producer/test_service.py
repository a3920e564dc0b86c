"""`python -m producer` against a real broker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from deploy.kafka.broker import LocalKafka
from producer.service import _for_producer
from schemas.codec import Codec
from streaming import settings as settings_module
from streaming.partitions import partition_of

PARTITIONS = 3


class Service:
    """A gateway process; `log` holds what it said on stderr."""

    def __init__(self, port: int, bootstrap: str, prefix: str, **environment: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        given = {
            "PCA_PRODUCER_PORT": str(port),
            "PCA_KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "PCA_TOPIC_PREFIX": prefix,
            "PCA_REPLICATION_FACTOR": "1",
            "PCA_CALLS_PARTITIONS": str(PARTITIONS),
            "PCA_ADMIN_KEY": "k",
            "PCA_PRODUCER_TIMEOUT": "4",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "producer"],
            env=os.environ | given | environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.client = httpx.Client(
            base_url=self.url, headers={"Authorization": "Bearer k"}, timeout=20
        )

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.log.extend(lines)

    def post(self, body: bytes) -> httpx.Response:
        kind = {"Content-Type": "application/x-ndjson"}
        return self.client.post("/v1/calls", content=body, headers=kind)

    def ready(self) -> httpx.Response | None:
        """The answer of /readyz; None while nobody listens."""
        try:
            return self.client.get("/readyz")
        except httpx.TransportError:
            return None

    def until(self, status: int) -> httpx.Response:
        """The first answer of /readyz with that status."""
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and self.process.poll() is None:
            answer = self.ready()
            if answer is not None and answer.status_code == status:
                return answer
            time.sleep(0.02)
        raise AssertionError(f"/readyz never answered {status}: {self.ready()} {self.log}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code; the log is complete after."""
        self.process.send_signal(number)
        code = self.process.wait(30)
        self._reader.join()
        self.client.close()
        return code


@pytest.fixture
def start(unused_port):
    """`start(bootstrap)`: a service that is ended after the test."""
    started = []

    def start_(bootstrap: str, prefix: str = "", **environment: str) -> Service:
        prefix = prefix or f"t{uuid.uuid4().hex[:8]}."
        service = Service(unused_port, bootstrap, prefix, **environment)
        service.prefix = prefix
        started.append(service)
        return service

    yield start_
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
        service.process.wait()
        service._reader.join()
        service.client.close()


def records(bootstrap: str, topic: str) -> list[tuple[int, str, dict]]:
    """Every record of a topic: partition, key, call."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "t", "enable.partition.eof": True}
    )
    try:
        partitions = [TopicPartition(topic, p, 0) for p in range(PARTITIONS)]
        consumer.assign(partitions)
        found, left = [], set(range(PARTITIONS))
        while left:
            message = consumer.poll(20)
            assert message is not None, "Kafka is silent"
            if (error := message.error()) is not None:
                # On a busy machine there may be others, after which the client goes on by itself.
                if error.code() == KafkaError._PARTITION_EOF:
                    left.discard(message.partition())
            else:
                call = Codec().decode(message.value(), "CallCompleted")
                found.append((message.partition(), message.key().decode(), call))
        return found
    finally:
        consumer.close()


def test_calls_lie_in_the_partition_of_their_account(kafka, start, call):
    service = start(kafka.bootstrap)
    service.until(200)
    accounts = [f"account-{i}" for i in range(40)]
    body = b"\n".join(json.dumps(call(account_id=a, sid=a)).encode() for a in accounts)
    assert service.post(body).json() == {"accepted": 40}
    found = records(kafka.bootstrap, service.prefix + "calls")
    assert sorted(key for _, key, _ in found) == sorted(accounts)
    assert all(place == partition_of(key, PARTITIONS) for place, key, _ in found)
    assert all(key == call["account_id"] == call["sid"] for _, key, call in found)


def test_ten_thousand_calls_in_one_body_are_written_and_acknowledged(kafka, start, ndjson):
    service = start(kafka.bootstrap)
    service.until(200)
    assert service.post(ndjson(10_000)).json() == {"accepted": 10_000}
    found = records(kafka.bootstrap, service.prefix + "calls")
    assert {call["sid"] for _, _, call in found} == {f"s-{i}" for i in range(10_000)}
    # All of one account, so of one partition: in the order of the body.
    assert [call["sid"] for _, _, call in found] == [f"s-{i}" for i in range(10_000)]


def test_nothing_is_written_when_the_last_of_ten_thousand_is_bad(kafka, start, ndjson):
    service = start(kafka.bootstrap)
    service.until(200)
    assert service.post(ndjson(10_000, bad={9_999: {"sid": ""}})).status_code == 422
    assert records(kafka.bootstrap, service.prefix + "calls") == []


def test_fifty_senders_at_once_lose_nothing(kafka, start, call):
    service = start(kafka.bootstrap)
    service.until(200)

    def send(sender: int) -> int:
        lines = (call(account_id=f"a{sender}", sid=f"{sender}-{i}") for i in range(100))
        return service.post(b"\n".join(json.dumps(c).encode() for c in lines)).status_code

    with ThreadPoolExecutor(50) as senders:
        assert set(senders.map(send, range(50))) == {202}
    found = [call["sid"] for _, _, call in records(kafka.bootstrap, service.prefix + "calls")]
    assert sorted(found) == sorted(f"{s}-{i}" for s in range(50) for i in range(100))


async def test_a_client_that_goes_in_the_middle_breaks_nothing(kafka, start, ndjson):
    service = start(kafka.bootstrap)
    await asyncio.to_thread(service.until, 200)
    host, port = "127.0.0.1", int(service.url.rsplit(":", 1)[1])
    head = (
        b"POST /v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
        b"Content-Type: application/x-ndjson\r\n"
    )
    for body in (ndjson(5)[:100], ndjson(5)):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(ndjson(5)) + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    response = await asyncio.to_thread(service.post, ndjson(1))
    assert response.status_code == 202
    assert await asyncio.to_thread(service.end) == 0
    assert [line for line in service.log if json.loads(line)["level"] != "INFO"] == []


def test_kafka_away_and_back(kafka_can_run, tmp_path, start, ndjson):
    broker = LocalKafka(tmp_path)
    broker.start()
    try:
        broker.stop()
        service = start(broker.bootstrap)  # comes up although nobody answers
        assert "Kafka" in service.until(503).json()["detail"]
        assert service.client.get("/healthz").status_code == 200
        away = service.post(ndjson(2))
        assert (away.status_code, "No call was written" in away.json()["detail"]) == (503, True)
        assert int(away.headers["retry-after"]) > 0
        broker.start()
        service.until(200)
        back = service.post(ndjson(2))
        assert back.status_code == 202, back.text
        broker.kill()
        lost = service.post(ndjson(3))
        assert (lost.status_code, "Some may nevertheless arrive" in lost.json()["detail"]) == (
            503,
            True,
        )
        service.until(503)
        broker.start()
        service.until(200)
        assert service.post(ndjson(4)).json() == {"accepted": 4}
        assert service.end() == 0
    finally:
        broker.stop()


def test_sigterm_lets_the_request_in_hand_finish(kafka, start, ndjson):
    service = start(kafka.bootstrap)
    service.until(200)
    with ThreadPoolExecutor(1) as sender:
        answer = sender.submit(service.post, ndjson(20_000))
        time.sleep(0.15)
        service.process.send_signal(signal.SIGTERM)
        assert answer.result().json() == {"accepted": 20_000}
    assert service.end() == 0
    assert len(records(kafka.bootstrap, service.prefix + "calls")) == 20_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_when_idle_and_kafka_is_away(start, unused_port, number):
    service = start("127.0.0.1:1")
    service.until(503)
    began = time.monotonic()
    assert service.end(number) == 0
    assert time.monotonic() - began < 10
    assert all(json.loads(line)["service"] == "producer" for line in service.log)


def test_a_port_in_use_is_one_line_and_exit_1(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        service = start("127.0.0.1:1", PCA_PRODUCER_PORT=str(taken.getsockname()[1]))
        assert service.process.wait(20) == 1
        service._reader.join()
    (line,) = service.log
    assert "PCA_PRODUCER_PORT" in json.loads(line)["message"]


def test_a_wrong_setting_is_one_line_and_exit_2(start):
    service = start("127.0.0.1:1", PCA_PRODUCER_TIMEOUT="soon")
    assert service.process.wait(20) == 2
    service._reader.join()
    (line,) = service.log
    assert "PCA_PRODUCER_TIMEOUT" in line


def test_librdkafkas_queue_is_larger_than_ours_unless_told_otherwise():
    name = "queue.buffering.max.messages"
    settings = settings_module.load(producer_max_queued=200_000, kafka={"linger.ms": "3"})
    assert _for_producer(settings).kafka.items() >= {("linger.ms", "3"), (name, "400000")}
    told = settings_module.load(kafka={name: "7"})
    assert _for_producer(told).kafka[name] == "7"

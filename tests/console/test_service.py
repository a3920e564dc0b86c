"""`python -m console` as a process, with a real broker."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from typer.testing import CliRunner

from console.cli import app
from deploy.kafka.broker import LocalKafka
from schemas.codec import Codec
from streaming.partitions import partition_of
from streaming.topics import admin, ensure, topics

KEY = "the-admin-key"
PARTITIONS = 3


class Service:
    """A console in a process of its own."""

    def __init__(self, process, port):
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60
        )

    def put(self, path, **body):
        answer = self.http.put(f"/v1/accounts/{path}", json=body)
        assert answer.is_success, answer.text

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def metric(self, name):
        text = self.http.get("/metrics").text
        return float(text.split(f"\n{name} ", 1)[1].split("\n", 1)[0])

    def waiting(self):
        return self.metric("pca_outbox_waiting")

    def published(self):
        return self.metric("pca_config_published_total")


def environment(settings, **overrides):
    return {name: value for name, value in os.environ.items() if not name.startswith("PCA_")} | {
        "PCA_DATA_DIR": str(settings.data_dir),
        "PCA_ADMIN_KEY": KEY,
        "PCA_CONSOLE_PORT": "0",
        "PCA_TOPIC_PREFIX": settings.topic_prefix,
        "PCA_REPLICATION_FACTOR": "1",
        "PCA_CALLS_PARTITIONS": str(PARTITIONS),
        "PCA_DISPATCH_PARTITIONS": "2",
        "PCA_KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        **overrides,
    }


@pytest.fixture
def settings(settings, kafka):
    """The room's settings, with the real broker."""
    return settings.model_copy(update={"kafka": {"bootstrap.servers": kafka.bootstrap}})


@pytest.fixture
def start(settings):
    """Start a console; all of them are killed at the end."""
    running = []

    def start(**overrides):
        process = subprocess.Popen(
            [sys.executable, "-m", "console"],
            env=environment(settings, **overrides), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        log = open(settings.data_dir / f"{process.pid}.log", "w")  # noqa: PTH123, SIM115
        for line in process.stderr:
            record = json.loads(line)
            if record["message"] == "console listens":
                break
        else:
            raise AssertionError("the console did not start")
        # The rest of its log goes nowhere; a full pipe would stop it.
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=log)
        service = Service(process, record["port"])
        running.append((service, drain, log))
        until(lambda: alive(service))
        return service

    yield start
    for service, drain, log in running:
        service.kill()
        service.http.close()
        service.process.stderr.close()
        drain.wait(10)
        log.close()


def alive(service):
    try:
        return service.http.get("/healthz").is_success
    except httpx.TransportError:
        return False


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)
    return found


class Topic:
    """The config topic, read from the start as it grows."""

    def __init__(self, settings):
        self.name = topics(settings).config
        self.records = []
        self._consumer = Consumer(
            {"bootstrap.servers": settings.bootstrap, "group.id": "t", "enable.auto.commit": False}
        )
        self._consumer.assign(
            [TopicPartition(self.name, p, OFFSET_BEGINNING) for p in range(PARTITIONS)]
        )

    def read(self):
        """Everything so far: (key, value, version, partition)."""
        first = self._consumer.poll(0.05)
        # Not `if first`: a tombstone is a message of length 0.
        rest = [] if first is None else [first, *self._consumer.consume(10_000, 0)]
        for message in rest:
            assert message.error() is None, message.error()
            version = int(dict(message.headers() or [("version", b"-1")])["version"])
            self.records.append(
                (message.key().decode(), message.value(), version, message.partition())
            )
        return self.records

    def latest(self):
        """What a compacted topic holds, by partition and key; deleted keys are left out."""
        self.read()
        state = {(partition, key): value for key, value, _, partition in self.records}
        return {where for where, value in state.items() if value is not None}

    def close(self):
        self._consumer.close()


@pytest.fixture
def topic(settings):
    ensure(settings)
    topic = Topic(settings)
    yield topic
    topic.close()


def test_a_change_is_on_the_topic_well_within_a_second(start, topic):
    console = start()
    console.put("acme", name="Warm-up")
    until(lambda: len(topic.read()) == 1)
    took = []
    for index in range(20):
        begin = time.monotonic()
        console.put("acme", name=f"Acme {index}")
        until(lambda n=index: len(topic.read()) == n + 2)
        took.append(time.monotonic() - begin)
    typical, worst = sorted(took)[10] * 1000, max(took) * 1000
    print(f"\nfrom save to reader: median {typical:.0f} ms, worst {worst:.0f} ms")
    assert typical < 300
    key, value, version, partition = topic.records[-1]
    assert (key, version, partition) == ("acme/account/acme", 21, partition_of("acme", PARTITIONS))
    assert Codec().decode(value, "Account")["name"] == "Acme 19"


def test_kill_9_loses_no_change_and_sigterm_stops_cleanly(start, topic):
    console = start()
    for index in range(30):
        console.put("acme/pools/p", label=str(index)) if index else console.put("acme", name="A")
    console.kill()
    after = start()
    after.put("acme/pools/p", label="last")
    until(lambda: topic.read() and topic.records[-1][2] == 31)
    versions = [version for _, _, version, _ in topic.records]
    assert list(dict.fromkeys(versions)) == list(range(1, 32))
    begin = time.monotonic()
    after.process.send_signal(signal.SIGTERM)
    assert after.process.wait(30) == 0
    assert time.monotonic() - begin < 10


def test_changes_saved_while_kafka_is_away_are_published_when_it_is_back(
    settings, start, tmp_path, kafka_can_run
):
    broker = LocalKafka(tmp_path / "own-kafka")
    broker.start()
    settings.kafka["bootstrap.servers"] = broker.bootstrap
    try:
        console = start()
        console.put("acme", name="A")
        until(lambda: console.published() == 1)
        broker.kill()
        console.put("acme/pools/p", send="none")
        until(lambda: console.waiting() == 2)
        assert console.http.get("/readyz").is_success
        console.kill()  # between saving and publishing
        console = start()
        console.put("acme/pools/q", send="none")
        until(lambda: console.waiting() == 4)
        broker.start()
        until(lambda: console.published() == 4)
        topic = Topic(settings)
        until(lambda: len(topic.read()) >= 5)
        topic.close()
        assert [key for key, *_ in topic.records] == [
            "acme/account/acme", "acme/pool/p", "acme/account/acme",
            "acme/pool/q", "acme/account/acme",
        ]  # fmt: skip
    finally:
        broker.kill()


def test_republishing_mends_the_topic(settings, start, topic, monkeypatch):
    console = start()
    console.put("acme", name="A")
    console.put("acme/pools/p", send="none")
    until(lambda: len(topic.read()) == 3)
    right = partition_of("acme", PARTITIONS)
    wrong = (right + 1) % PARTITIONS
    foreign = Producer({"bootstrap.servers": settings.bootstrap})
    for key, partition in (
        ("acme/pool/gone", right), ("acme/pool/p", wrong), ("ghost/account/ghost", 0), ("what", 1),
    ):  # fmt: skip
        foreign.produce(topic.name, b"junk", key, partition)
    foreign.flush(10)
    del foreign  # it would look for the broker for ever
    until(lambda: len(topic.latest()) == 6)
    monkeypatch.setenv("PCA_CONSOLE_URL", console.url)
    monkeypatch.setenv("PCA_API_KEY", KEY)
    result = CliRunner().invoke(app, ["config", "republish"])
    assert result.stdout == (
        "On their way to Kafka: 1 account(s), 0 action(s), 0 number(s), 1 pool(s), 0 ad group(s),"
        " 4 tombstones.\n"
    )
    expected = {(right, "acme/account/acme"), (right, "acme/pool/p")}
    until(lambda: topic.latest() == expected)


def test_republishing_fills_a_topic_that_was_made_anew(settings, start, topic):
    console = start()
    console.put("acme", name="A")
    until(lambda: len(topic.read()) == 1)
    topic.close()
    client = admin(settings)
    client.delete_topics([topic.name], operation_timeout=10)[topic.name].result()
    until(lambda: topic.name not in client.list_topics(timeout=5).topics)
    assert until(lambda: console.http.post("/v1/republish").is_success)
    again = Topic(settings)
    until(lambda: len(again.latest()) == 1)
    again.close()


def test_twenty_thousand_numbers_are_applied_in_seconds(start, topic):
    console = start()
    numbers = {f"+1800{n:07}": {"send": "none"} for n in range(20_000)}
    document = {"accounts": [{"id": "acme", "name": "A", "numbers": numbers}]}
    begin = time.monotonic()
    answer = console.http.post("/v1/apply", json=document)
    applied = time.monotonic()
    assert answer.json()["counts"]["created"] == 20_001
    until(lambda: len(topic.read()) == 20_001)
    published = time.monotonic()
    print(f"\napplied in {applied - begin:.1f} s, on the topic {published - applied:.1f} s later")
    assert applied - begin < 15
    assert published - applied < 15


def test_a_port_in_use_is_one_line(settings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-m", "console"], check=False, capture_output=True, text=True,
            env=environment(settings, PCA_CONSOLE_PORT=port), timeout=30,
        )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr == (
        f"console: cannot listen on 127.0.0.1:{port}: Address already in use"
        " (PCA_CONSOLE_PORT chooses another port)\n"
    )


@pytest.mark.parametrize(
    ("url", "code", "sentence"),
    [
        ("mysql://u:very-secret@h/d", 2, "mysql is not supported"),
        ("postgresql://u:very-secret@127.0.0.1:1/d", 1, "cannot be used"),
    ],
)
def test_an_unusable_database_is_one_line_without_its_password(settings, url, code, sentence):
    result = subprocess.run(
        [sys.executable, "-m", "console"], check=False, capture_output=True, text=True,
        env=environment(settings, PCA_DATABASE_URL=url), timeout=30,
    )  # fmt: skip
    assert result.returncode == code
    assert sentence in result.stderr
    assert "very-secret" not in result.stderr
    assert "Traceback" not in result.stderr

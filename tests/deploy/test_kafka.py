"""The real broker: what it keeps, where it listens, and what it refuses."""

import shutil
import socket
import time

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner

from deploy.errors import DataFolderInUse, NeverStarted, PortInUse, StartFailed
from deploy.kafka.broker import LocalKafka
from deploy.kafka.cli import app
from deploy.ports import HOST, free_port

COUNT = 500


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("kafka")


@pytest.fixture(scope="module")
def broker(data, kafka_can_run):
    kafka = LocalKafka(data)
    yield kafka
    kafka.stop()


@pytest.fixture
def kafka(broker):
    broker.start()
    return broker


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def produce(bootstrap, topic):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    futures = admin.create_topics([NewTopic(topic, 1)])
    futures[topic].result(timeout=20)
    errors = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    for number in range(COUNT):
        producer.produce(
            topic, str(number), on_delivery=lambda error, _: error and errors.append(error)
        )
    assert producer.flush(20) == 0
    assert not errors


def consume(bootstrap, topic):
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reader", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    values, deadline = [], time.monotonic() + 30
    while len(values) < COUNT and time.monotonic() < deadline:
        record = consumer.poll(0.2)
        if record is not None and record.error() is None:
            values.append(record.value().decode())
    consumer.close()
    return values


def test_records_survive_a_kill(kafka):
    bootstrap = kafka.bootstrap
    produce(bootstrap, "survivors")
    kafka.kill()
    assert not kafka.status().running
    kafka.start()
    assert kafka.bootstrap == bootstrap
    assert consume(bootstrap, "survivors") == [str(number) for number in range(COUNT)]
    kafka.stop()
    assert not kafka.status().running


def test_second_start_finds_the_first(kafka, data):
    pid = kafka.status().pid
    assert LocalKafka(data).start() is False
    assert kafka.status().pid == pid


def test_running_broker_is_not_moved_to_another_port(kafka, data):
    with pytest.raises(PortInUse, match="already runs on port"):
        LocalKafka(data, free_port()).start()


def test_only_this_machine_can_connect(kafka):
    process = psutil.Process(kafka.status().pid)
    addresses = [c.laddr.ip for c in process.net_connections() if c.status == "LISTEN"]
    assert len(addresses) == 2
    assert all(address.removeprefix("::ffff:") == HOST for address in addresses)


def test_foreign_broker_on_the_folder_is_refused(kafka, data, tmp_path):
    pid_file = data / "kafka.pid"
    shutil.move(pid_file, tmp_path)
    try:
        with pytest.raises(DataFolderInUse):
            LocalKafka(data).start()
    finally:
        shutil.move(tmp_path / "kafka.pid", pid_file)


def test_port_of_another_process_is_refused(tmp_path, kafka_can_run):
    with socket.create_server((HOST, free_port())) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortInUse, match=str(port)):
            LocalKafka(tmp_path, port).start()
        answer = run("start", "--data", tmp_path, "--port", port)
    assert answer.exit_code == 1
    assert answer.stderr.count(f"port {port}") == 1
    assert "Traceback" not in answer.output


def test_broker_that_dies_while_starting_shows_its_log(tmp_path, kafka_can_run):
    records = tmp_path / "records"
    records.mkdir()
    (records / "meta.properties").write_text("version=1\ncluster.id=nobody\nnode.id=7\n")
    kafka = LocalKafka(tmp_path)
    with pytest.raises(StartFailed, match=r"kafka\.log"):
        kafka.start()
    assert not kafka.status().running


def test_folder_name_may_hold_blanks_and_accents(tmp_path, kafka_can_run):
    kafka = LocalKafka(tmp_path / "my data: é")
    try:
        assert kafka.start() is True
        assert (kafka.data / "records" / "meta.properties").exists()
    finally:
        kafka.stop()


def test_bootstrap_is_unknown_before_the_first_start(tmp_path):
    with pytest.raises(NeverStarted):
        _ = LocalKafka(tmp_path).bootstrap
    assert LocalKafka(tmp_path, 19092).bootstrap == "127.0.0.1:19092"


def test_status_command_tells_by_its_exit_code(kafka, data, tmp_path):
    running = run("status", "--data", data)
    assert (running.exit_code, kafka.bootstrap in running.stdout) == (0, True)
    assert run("status", "--data", tmp_path).exit_code == 3


def test_commands_start_and_stop(kafka, data):
    assert run("stop", "--data", data).exit_code == 0
    assert run("status", "--data", data).exit_code == 3
    answer = run("start", "--data", data)
    assert answer.exit_code == 0
    assert kafka.bootstrap in answer.stdout
    assert str(kafka.status().log) in answer.stdout


def test_unknown_option_is_a_usage_error():
    assert run("start", "--prot", 1).exit_code == 2


def test_data_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PCA_DATA_DIR", str(tmp_path))
    assert str(tmp_path / "kafka") in run("status").stdout

"""The peers as processes on topics of their own, and what they committed."""

import contextlib
import shutil
import subprocess

import pytest
from confluent_kafka import Consumer, TopicPartition
from line import Line, settings_for

from bench.builds import ROOT, Missing, go_peer, java_peer
from console.supervisor import environment_of


@pytest.fixture(scope="session")
def go(missing):
    """The binary of the Go peer, whose `sink` is the receiver of all measurements; built where it
    is not."""
    if shutil.which("go") is None:
        missing("go is not installed")
    try:
        return str(go_peer())
    except Missing as reason:
        pytest.fail(str(reason))


@pytest.fixture(scope="session")
def java(kafka_can_run):
    """The command of the Java peer, up to the name of the client; built where it is not."""
    try:
        return java_peer()
    except Missing as reason:
        pytest.fail(str(reason))  # Java and Maven are here, see `kafka_can_run`


@pytest.fixture
def line(kafka, tmp_path):
    retried = {"dispatcher_retry_schedule": "5s,1m", "dispatcher_in_flight": 64}
    line = Line(settings_for(kafka, data_dir=tmp_path, **retried), tmp_path)
    yield line
    line.close()


@pytest.fixture
def start(line, tmp_path):
    """`start([binary, "router"])`: a process with these settings, whose errors are in `errors`."""
    started = []

    def start(command):
        with (tmp_path / "errors").open("ab") as errors:
            environment = environment_of(line.settings)
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=errors)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def lag(line):
    """`lag("pca-router", topic)`: records of a topic that a group has not committed."""

    def lag(group, topic):
        options = {
            "bootstrap.servers": line.settings.bootstrap,
            "group.id": line.settings.topic_prefix + group,
            "log_level": 0,
        }
        with contextlib.closing(Consumer(options)) as consumer:
            partitions = range(line.topics.all[topic].partitions)
            asked = [TopicPartition(topic, number) for number in partitions]
            committed = consumer.committed(asked, timeout=10)
        return line.count(topic) - sum(max(0, place.offset) for place in committed)

    return lag

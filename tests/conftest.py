"""What tests of several rooms share: a real broker, settings of their own, and who may skip."""

import os
import shutil

import hypothesis
import pytest
from acknowledged import acknowledged
from line import settings_for

from deploy.errors import DeployError
from deploy.java import find_java
from deploy.kafka.broker import LocalKafka
from schemas.codec import Codec
from streaming import topics as kafka_topics
from streaming.producer import Producer

# How long an example takes says more about the machine's other work than about the code.
hypothesis.settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared machine")

# Brokers of tests live for seconds: the optimising compiler would cost more than it wins.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")


def _missing(reason):
    """Skip on a laptop; fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _need(java):
    try:
        find_java(java)
    except DeployError as error:
        _missing(str(error))
    if shutil.which("mvn") is None:
        _missing("mvn is not installed")


@pytest.fixture(scope="session")
def missing():
    return _missing


@pytest.fixture(scope="session")
def kafka_can_run():
    _need(17)


@pytest.fixture(scope="session")
def registry_can_run():
    _need(21)


def warm_up(broker):
    """The first idempotent producer of a new broker waits, and complains, until its coordinator is
    there; it should not be a test's."""
    settings = settings_for(broker, topic_prefix="warm.", calls_partitions=1, dispatch_partitions=1)
    kafka_topics.ensure(settings)
    producer = Producer(settings, "warm")
    with acknowledged(60) as acks:
        producer.send("warm.unrouted", b"", b"", acks)
    producer.close(1)


@pytest.fixture(scope="session")
def kafka(kafka_can_run, tmp_path_factory):
    """One real broker for all tests; each uses topics of its own. Tests that stop a broker start
    another."""
    broker = LocalKafka(tmp_path_factory.mktemp("kafka"))
    broker.start()
    warm_up(broker)
    yield broker
    broker.stop()


@pytest.fixture
def settings(kafka, tmp_path):
    return settings_for(kafka, data_dir=tmp_path)


@pytest.fixture
def topics(settings):
    return kafka_topics.ensure(settings)


@pytest.fixture(scope="session")
def codec():
    return Codec()

"""Builders: a call, an account's configuration, and the router between fakes."""

from __future__ import annotations

import pytest
from confluent_kafka import Message
from fake_producer import FakeProducer

from router.calls import routed
from router.configuration import Configuration
from router.stage import RouterStage
from schemas.codec import decode_body
from schemas.configuration import config_key
from schemas.released import current
from streaming import settings as kafka_settings
from streaming import topics as kafka_topics
from streaming.offsets import OffsetTracker
from streaming.partitions import partition_of


def _call(**fields):
    schema = current("CallCompleted")
    required = {"account_id": "acme", "sid": "s-1", "started_at": 0, "call_type": "inbound"}
    return decode_body(schema.encode(required | fields), 0, schema)


@pytest.fixture(scope="session")
def call():
    """`call(called_e164="+1…")`: a CallCompleted record as the router decodes it."""
    return _call


@pytest.fixture(scope="session")
def routed_call():
    """`routed_call(called_e164="+1…")`: the same as routing reads it."""
    return lambda **fields: routed(_call(**fields))


class Given:
    """An account's configuration, record by record, as `pca.config` brings it."""

    def __init__(self, codec, account_id="acme", configuration=None, partition=0):
        self.codec, self.account_id, self.partition = codec, account_id, partition
        self.configuration = configuration or Configuration(codec, 1)
        self._version = 0

    def put(self, kind, id_, value):
        self.configuration.apply(self.partition, config_key(self.account_id, kind, id_), value)
        return self

    def account(self, **fields):
        self._version += 1
        record = {"account_id": self.account_id, "version": self._version, "name": "Acme"} | fields
        return self.put("account", self.account_id, self.codec.encode("Account", record, "c"))

    def action(self, id_, **fields):
        record = {
            "action_id": id_, "version": 1, "name": id_, "active": True, "scope": "all_calls",
            "option": "call_detail", "target_url": "http://example.com/",
        }  # fmt: skip
        return self.put("action", id_, self.codec.encode("Action", record | fields, "c"))

    def _routing(self, kind, id_, send, action_id="", label=""):
        record = {"send": send, "action_id": action_id, "label": label}
        return self.put(kind, id_, self.codec.encode("Routing", record, "c"))

    def number(self, e164, *setting, **fields):
        return self._routing("number", e164, *setting, **fields)

    def pool(self, id_, *setting):
        return self._routing("pool", id_, *setting)

    def ad_group(self, id_, *setting):
        return self._routing("ad_group", id_, *setting)

    def delete(self, kind, id_):
        return self.put(kind, id_, None)

    @property
    def known(self):
        """What the router sees: the account, or None."""
        return self.configuration.account(self.partition, self.account_id)


@pytest.fixture(scope="session")
def given_account(codec):
    """`given_account().action("a").number("+1…", "specific", "a").known`"""

    def build(**fields):
        return Given(codec).account(**fields)

    return build


@pytest.fixture
def empty_configuration(codec):
    """The same before any record has come."""
    return Given(codec)


class FakeLoop:
    def __init__(self):
        self.completed, self.failures = [], []

    def complete(self, runs):
        self.completed += [(run[0].partition, *run[1:]) for run in runs]

    def fail(self, error):
        self.failures.append(error)


class FakeTable:
    def __init__(self):
        self.followed, self.polls, self.still_loading = [], 0, set()

    def follow(self, partitions):
        self.followed.append(sorted(partitions))

    def poll(self):
        self.polls += 1

    def loading(self):
        return self.still_loading


class Line:
    """The router between fakes, with a configuration that tests fill."""

    def __init__(self, codec):
        settings = kafka_settings.load(calls_partitions=3, admin_key="k")
        self.codec, self.topics = codec, kafka_topics.topics(settings)
        self.loop, self.table = FakeLoop(), FakeTable()
        self.producer = FakeProducer(at_once=False)
        self.configuration = Configuration(codec, 3)
        self.stage = RouterStage(
            self.loop,
            self.producer,
            codec,
            self.topics,
            self.configuration,
            self.table,
        )
        self.trackers = [OffsetTracker(self.topics.calls, n) for n in range(3)]
        self._offsets = [0, 0, 0]

    def given(self, account_id="acme"):
        home = partition_of(account_id, 3)
        return Given(self.codec, account_id, self.configuration, home).account()

    def call(self, account_id="acme", partition=None, **fields):
        """A call in the partition that it belongs to, or the one given."""
        value = self.codec.encode("CallCompleted", _call(account_id=account_id, **fields), "c")
        if partition is None:
            partition = partition_of(account_id, 3)
        return self.record(value, partition, account_id.encode())

    def record(self, value, partition=0, key=b"acme"):
        offset = self._offsets[partition]
        self._offsets[partition] += 1
        message = Message(
            topic=self.topics.calls, partition=partition, offset=offset, key=key, value=value
        )
        self.trackers[partition].read(offset)
        return self.trackers[partition], message

    def take(self, *batch):
        self.stage.take(batch)
        return self.producer.sent


@pytest.fixture
def line(codec):
    return Line(codec)


@pytest.fixture
def message_at():
    """`message_at(5)`: a record of which only the offset matters."""
    return lambda offset: Message(topic="t", partition=0, offset=offset)

"""The stages as real processes on topics of their own, for tests of the whole line."""

import json
import time
import uuid

from acknowledged import acknowledged
from confluent_kafka import Consumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from console.supervisor import StageProcess, copies, environment_of
from schemas.call import Call
from schemas.codec import Codec
from schemas.configuration import Document, account_to_avro, config_key
from streaming import settings as settings_module
from streaming import topics as kafka_topics
from streaming.partitions import partition_of
from streaming.producer import Producer
from streaming.watermarks import watermarks


def eventually(claim, timeout=20.0, every=0.02):
    """The claim's first true value; fails with its last one after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := claim()):
        assert time.monotonic() < deadline, f"not within {timeout} s; the last value is {value!r}"
        time.sleep(every)
    return value


def settings_for(broker, **overrides):
    """Settings for topics that nobody else uses: three partitions, one copy."""
    given = {
        "topic_prefix": f"t{uuid.uuid4().hex[:8]}.",
        "kafka": {"bootstrap.servers": broker.bootstrap, "session.timeout.ms": "6000"},
        "replication_factor": 1,
        "calls_partitions": 3,
        "dispatch_partitions": 3,
        "dispatcher_retry_schedule": "1s,2s",
        "dispatcher_allow_networks": "127.0.0.0/8",
        "admin_key": "k",
    }
    return settings_module.load(**{**given, **overrides})


class Line:
    """Topics, stages, and the means to write to and look at both."""

    def __init__(self, settings, folder):
        self.settings = settings
        self.topics = kafka_topics.ensure(settings)
        self.codec = Codec()
        self.producer = Producer(settings, "test")
        self.stages = []
        self._ends = self._reader()
        self._folder = folder

    def start(self, module, count=1, **changes):
        """Copies of a stage, ready."""
        settings = self.settings.model_copy(update=changes)
        started = copies(module, count, environment_of(settings), self._folder)
        self.stages += started
        for stage in started:
            stage.start()
        for stage in started:
            stage.await_ready()
        return started

    def _reader(self):
        return Consumer(
            {
                "bootstrap.servers": self.settings.bootstrap,
                "group.id": "test-reader",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "log_level": 0,  # it may knock while a broker is away on purpose
            }
        )

    def close(self):
        self._ends.close()
        for stage in self.stages:
            stage.stop()
        self.producer.close(1)

    def write(self, records):
        """Produce (topic, key, value, partition) and wait for the broker."""
        with acknowledged() as acks:
            for topic, key, value, partition in records:
                self.producer.send(topic, key, value, acks, partition=partition)

    def configure(self, *accounts):
        """Accounts as in `pca apply`, straight onto the config topic."""
        document = Document.model_validate_json(json.dumps({"accounts": accounts}))
        self.write(
            (self.topics.config, key, value, partition)
            for account in document.accounts
            for key, value, partition in self._config_records(account)
        )

    def _config_records(self, account):
        partition = partition_of(account.id, self.settings.calls_partitions)
        records = [("account", account.id, "Account", account_to_avro(account, account.id, 1))]
        for action in account.actions:
            fields = action.to_avro(action.id, 1)
            records.append(("action", action.id, "Action", fields))
        for kind, settings in (
            ("number", account.numbers), ("pool", account.pools), ("ad_group", account.ad_groups),
        ):  # fmt: skip
            for id_, routing in settings.items():
                fields = routing.to_avro()
                records.append((kind, id_, "Routing", fields))
        for kind, id_, name, record in records:
            value = self.codec.encode(name, record, self.topics.config)
            yield config_key(account.id, kind, id_), value, partition

    def call(self, account="acme", **fields):
        """The bytes of a call."""
        given = {
            "account_id": account,
            "sid": uuid.uuid4().hex,
            "started_at": "2026-07-01T14:03:22Z",
            "call_type": "inbound",
            "called_number": "+18005550100",
        } | fields
        record = Call.model_validate_json(json.dumps(given)).to_avro()
        return self.codec.encode("CallCompleted", record, self.topics.calls)

    def send(self, *calls, account="acme"):
        """Put calls onto the topic under their account's key."""
        self.write((self.topics.calls, account, call, -1) for call in calls)

    def count(self, topic):
        """How many records were ever written to a topic."""
        return sum(end.offset for end in self.ends(topic))

    def ends(self, topic):
        """Where a topic's partitions end."""
        return [
            TopicPartition(topic, n, watermarks(self._ends, topic, n, patience=20, answer=5)[1])
            for n in range(self.topics.all[topic].partitions)
        ]

    def read(self, topic, count, timeout=20.0):
        """The first `count` records of a topic, in no particular order."""
        partitions = range(self.topics.all[topic].partitions)
        start = [TopicPartition(topic, number, 0) for number in partitions]
        return self._read_from(start, count, timeout)

    def since(self, ends, timeout=60.0):
        """The records written to a topic since its `ends` were there."""
        count = self.count(ends[0].topic) - sum(end.offset for end in ends)
        return self._read_from(ends, count, timeout)

    def _read_from(self, start, count, timeout):
        reader = self._reader()
        reader.assign(start)
        topic, found = start[0].topic, []
        deadline = time.monotonic() + timeout
        try:
            while len(found) < count:
                assert time.monotonic() < deadline, f"{len(found)} of {count} records on {topic}"
                found += [m for m in reader.consume(min(count, 10_000), 0.1) if m.error() is None]
        finally:
            reader.close()
        return found

    def metric(self, stage: StageProcess, name, **labels):
        """The value of a stage's metric now; 0 where it does not stand there yet."""
        return next(self._samples(stage, name, labels), 0.0)

    def total(self, stage: StageProcess, name, **labels):
        """The sum of a metric over the labels that are not given."""
        return sum(self._samples(stage, name, labels))

    def _samples(self, stage, name, labels):
        for family in text_string_to_metric_families(stage.metrics()):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    yield sample.value

"""The topics: the one place that names them, creates them and refuses wrong ones."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported without saying so
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from streaming.producer import without_consumer_properties
from streaming.settings import Settings, seconds

log = logging.getLogger(__name__)

DAY = 86_400.0
LARGE_RECORD = 4 * 1024 * 1024
"""Foreign producers may write calls up to this; what is too large for us is still kept."""
DISPATCH_RECORD = 2 * 1024 * 1024
"""Above the largest call and the largest action together."""
HEADER_ROOM = 64 * 1024
WORST_OUTAGE = 7 * DAY


class TopicError(RuntimeError):
    """Kafka's topics are not as they must be; the message says which, what and the mend."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic must be like. `retention` in seconds; None for a compacted one."""

    name: str
    partitions: int
    retention: float | None
    max_record_bytes: int = DISPATCH_RECORD

    @property
    def cleanup_policy(self) -> str:
        return "compact" if self.retention is None else "delete"

    def config(self, replication_factor: int) -> dict[str, str]:
        """Kafka's topic configuration."""
        config = {
            "cleanup.policy": self.cleanup_policy,
            "max.message.bytes": str(self.max_record_bytes),
            # How long a retry has waited is told by our own clock, not by the broker's.
            "message.timestamp.type": "CreateTime",
            # With three copies a record is acknowledged when two have it: one broker may fail.
            "min.insync.replicas": str(max(1, replication_factor - 1)),
        }
        if self.retention is not None:
            config["retention.ms"] = str(int(self.retention * 1000))
        return config


@dataclass(frozen=True, slots=True)
class Topics:
    """The names, with the prefix of the settings."""

    prefix: str
    schedule: tuple[str, ...]
    all: dict[str, Topic] = field(repr=False)
    """Every topic by name."""

    @property
    def calls(self) -> str:
        return self.prefix + "calls"

    @property
    def config(self) -> str:
        return self.prefix + "config"

    @property
    def dispatch(self) -> str:
        return self.prefix + "dispatch"

    @property
    def dead(self) -> str:
        return self.prefix + "dead"

    @property
    def unrouted(self) -> str:
        return self.prefix + "unrouted"

    @property
    def endpoints(self) -> str:
        return self.prefix + "endpoints"

    @property
    def attempts(self) -> str:
        return self.prefix + "attempts"

    def delay_of(self, topic: str) -> float:
        """The seconds of a retry topic, by its name; one that the schedule no longer names too."""
        return seconds(topic.removeprefix(self.prefix + "retry."))

    def retry(self, delay: str) -> str:
        """The topic of one delay, e.g. `"5s"`."""
        return f"{self.prefix}retry.{delay}"


def topics(settings: Settings) -> Topics:
    """The topics that these settings ask for."""
    prefix, schedule = settings.topic_prefix, settings.dispatcher_retry_schedule
    calls, dispatch = settings.calls_partitions, settings.dispatch_partitions
    every = [
        Topic(prefix + "calls", calls, 7 * DAY, LARGE_RECORD),
        Topic(prefix + "config", calls, None),
        Topic(prefix + "dispatch", dispatch, 7 * DAY),
        *(
            Topic(f"{prefix}retry.{delay}", dispatch, seconds(delay) + WORST_OUTAGE)
            for delay in schedule
        ),
        # Room for the headers that tell why the record is here.
        Topic(prefix + "dead", dispatch, 30 * DAY, DISPATCH_RECORD + HEADER_ROOM),
        Topic(prefix + "unrouted", calls, 30 * DAY, LARGE_RECORD + HEADER_ROOM),
        Topic(prefix + "endpoints", dispatch, None),
        Topic(prefix + "attempts", calls, 7 * DAY),
    ]
    return Topics(prefix, schedule, {topic.name: topic for topic in every})


def admin(settings: Settings) -> AdminClient:
    """Kafka's admin client; librdkafka's own log lines go to our log."""
    return AdminClient(without_consumer_properties(settings.kafka), logger=log)


def ensure(settings: Settings, timeout: float = 30.0) -> Topics:
    """Create the topics that are missing and check those that are there.

    Any number of processes may do so at once. Raises `TopicError` when one has another partition
    count or cleanup policy (which would break the co-partitioning that routing relies on), or when
    Kafka does not answer within `timeout` seconds.
    """
    wanted = topics(settings)
    client = admin(settings)
    try:
        present = client.list_topics(timeout=timeout).topics
        missing = [topic for name, topic in wanted.all.items() if name not in present]
        _create(client, missing, settings.replication_factor, timeout)
        faults = _faults(client, list(wanted.all.values()), timeout)
    except KafkaException as error:
        raise TopicError(
            f"Kafka at {settings.bootstrap} refuses or does not answer: {error.args[0].str()}"
            " (PCA_KAFKA_BOOTSTRAP_SERVERS says where it is)"
        ) from error
    if faults:
        raise TopicError(
            "; ".join(faults) + ". Delete and re-create the topic with `pca topics create`, or set"
            " PCA_CALLS_PARTITIONS / PCA_DISPATCH_PARTITIONS to what is there"
        )
    return wanted


def retry_topics(settings: Settings) -> list[str]:
    """Every retry topic there is, also of delays that the schedule no longer names: what waits
    there is still to be sent. Raises KafkaException, and `TopicError` for one that cannot be read
    together with the dispatches."""
    prefix = settings.topic_prefix + "retry."
    found = admin(settings).list_topics(timeout=30).topics
    # What bears another name than a delay was never ours.
    retries = sorted(name for name in found if name.startswith(prefix) and _is_delay(name, prefix))
    for name in retries:
        if (partitions := len(found[name].partitions)) != settings.dispatch_partitions:
            raise TopicError(
                f"{name} has {partitions} partitions, {settings.dispatch_partitions} are needed."
                " Delete it once nothing waits there"
            )
    return retries


def _is_delay(topic: str, prefix: str) -> bool:
    try:
        return seconds(topic.removeprefix(prefix)) > 0
    except ValueError:
        return False


def _create(client: AdminClient, missing: list[Topic], copies: int, timeout: float) -> None:
    if not missing:
        return
    requests = [
        NewTopic(topic.name, topic.partitions, copies, config=topic.config(copies))
        for topic in missing
    ]
    for name, future in client.create_topics(requests, operation_timeout=timeout).items():
        try:
            future.result(timeout)
            log.info("topic created", extra={"topic": name})
        except KafkaException as error:
            # Another process was quicker.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TopicError(
                    f"{name} cannot be created: {error.args[0].str()}"
                    f" (PCA_REPLICATION_FACTOR is {copies}; a local broker needs 1)"
                ) from error


def _faults(client: AdminClient, wanted: list[Topic], timeout: float) -> list[str]:
    """What is wrong with the topics, once the broker shows them all.

    One just created, by us or by another process, is not known everywhere at once.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            return _wrong_counts(client, wanted, timeout) + _wrong_policies(client, wanted)
        except KafkaException as error:
            hidden = error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
            if not hidden or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _wrong_counts(client: AdminClient, wanted: list[Topic], timeout: float) -> list[str]:
    present = client.list_topics(timeout=timeout).topics
    faults = []
    for topic in wanted:
        found = present.get(topic.name)
        if found is None or any(part.leader < 0 for part in found.partitions.values()):
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, topic.name))
        if len(found.partitions) != topic.partitions:
            faults.append(
                f"{topic.name} has {len(found.partitions)} partitions,"
                f" {topic.partitions} are needed"
            )
    return faults


def _wrong_policies(client: AdminClient, wanted: list[Topic]) -> list[str]:
    resources = {ConfigResource(ResourceType.TOPIC, topic.name): topic for topic in wanted}
    faults = []
    for resource, future in client.describe_configs(list(resources)).items():
        topic = resources[resource]
        policy = future.result()["cleanup.policy"].value
        if policy != topic.cleanup_policy:
            faults.append(
                f"{topic.name} has cleanup.policy={policy}, {topic.cleanup_policy} is needed"
            )
    return faults

"""Topics on a real broker: created once, and refused when they are not as they must be."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType
from line import eventually

from streaming import settings as kafka_settings
from streaming.topics import TopicError, ensure, retry_topics
from streaming.topics import topics as names


@pytest.fixture
def create(admin):
    """`create(name, 5, {…})`: a topic that somebody else made."""

    def build(name, partitions, config=None):
        request = NewTopic(name, partitions, 1, config=config or {})
        admin.create_topics([request])[name].result(10)

    return build


def config_of(admin, name):
    (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
    return {key: entry.value for key, entry in future.result(10).items()}


def test_names_have_the_prefix():
    one = names(kafka_settings.load(topic_prefix="x.", dispatcher_retry_schedule="5s,1m"))
    assert (one.calls, one.retry("1m")) == ("x.calls", "x.retry.1m")
    assert sorted(one.all) == [
        "x.attempts", "x.calls", "x.config", "x.dead", "x.dispatch", "x.endpoints", "x.retry.1m",
        "x.retry.5s", "x.unrouted",
    ]  # fmt: skip


def test_every_topic_is_created_with_its_partitions(settings, topics, admin):
    present = admin.list_topics(timeout=10).topics
    found = {name: len(present[name].partitions) for name in topics.all}
    assert found == {name: topic.partitions for name, topic in topics.all.items()}


def test_what_belongs_together_has_as_many_partitions():
    one = names(kafka_settings.load(calls_partitions=3, dispatch_partitions=5))
    beside = {topic.partitions for name, topic in one.all.items() if "retry" in name}
    assert one.all[one.calls].partitions == one.all[one.config].partitions == 3
    assert beside == {one.all[one.dispatch].partitions} == {5}


def test_the_configuration_is_compacted(topics, admin):
    assert config_of(admin, topics.config)["cleanup.policy"] == "compact"


def test_calls_are_kept_for_a_week(topics, admin):
    config = config_of(admin, topics.calls)
    assert (config["cleanup.policy"], config["retention.ms"]) == ("delete", "604800000")


def test_creating_them_again_changes_nothing(settings, topics):
    assert ensure(settings) == topics


def test_a_wrong_partition_count_is_refused_with_the_name(settings, create):
    create(f"{settings.topic_prefix}calls", 5)
    with pytest.raises(TopicError, match=r"calls has 5 partitions, 3 are needed.*PCA_CALLS_PART"):
        ensure(settings)


def test_a_wrong_cleanup_policy_is_refused_with_the_name(settings, create):
    create(f"{settings.topic_prefix}config", 3, {"cleanup.policy": "delete"})
    with pytest.raises(TopicError, match=r"config has cleanup\.policy=delete, compact is needed"):
        ensure(settings)


def test_any_number_of_processes_may_create_them_at_once(settings):
    with ThreadPoolExecutor(4) as threads:
        made = [future.result() for future in [threads.submit(ensure, settings) for _ in range(4)]]
    assert made == [names(settings)] * 4


def test_more_copies_than_brokers_are_refused_with_the_setting(settings):
    three = settings.model_copy(update={"replication_factor": 3})
    with pytest.raises(TopicError, match="PCA_REPLICATION_FACTOR is 3"):
        ensure(three)


def test_without_kafka_the_setting_is_named(unused_tcp_port):
    away = {"bootstrap.servers": f"127.0.0.1:{unused_tcp_port}"}
    with pytest.raises(TopicError, match="PCA_KAFKA_BOOTSTRAP_SERVERS"):
        ensure(kafka_settings.load(kafka=away, admin_key="k"), timeout=1)


def test_of_retry_topics_those_of_old_delays_are_read_and_strangers_are_not(
    settings, topics, create
):
    prefix = settings.topic_prefix + "retry."
    for name in ("3h", "backup", "5s.old"):
        create(prefix + name, settings.dispatch_partitions)
    eventually(lambda: retry_topics(settings) == [prefix + "1s", prefix + "3h"])
    assert topics.delay_of(prefix + "3h") == 10_800.0

"""How far the stages are, as Kafka and their metrics tell."""

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from load import ACTIONS

from dispatcher.service import GROUP as DISPATCHER
from router.service import GROUP as ROUTER
from streaming.offsets import decode_holes

GROUPS = {"router": ROUTER, "dispatcher": DISPATCHER}
REQUESTS = {"router": len(ACTIONS), "dispatcher": 1}
"""How many requests a record of that stage's input becomes."""


class Progress:
    """Looks at a line's groups directly, past any proxy."""

    def __init__(self, line):
        self._line = line
        self._read = {}
        self._done = {}

    def undone(self):
        """Records that a stage has yet to complete and commit: calls, dispatches and retries."""
        return sum(self._ends().values()) - sum(self.done().values())

    def done(self):
        """Records completed and committed, by stage."""
        return {module: self._committed(group) for module, group in GROUPS.items()}

    def mark(self):
        """From now on `in_hand` counts; to be called when nothing is undone."""
        self._read, self._done = self._reads(), self.done()

    def in_hand(self, done):
        """Requests of the records that were read since `mark`, and are not among those that were
        `done` at a moment since."""
        read = self._reads()
        return sum(
            times * ((read[module] - self._read[module]) - (done[module] - self._done[module]))
            for module, times in REQUESTS.items()
        )

    def _reads(self):
        """Records taken in so far by the processes that run, by stage."""
        read = dict.fromkeys(GROUPS, 0)
        for stage in self._line.stages:
            read[stage.module] += int(self._line.total(stage, "pca_records_consumed_total"))
        return read

    def _committed(self, group):
        """Records completed and committed, holes above the committed offset included."""
        name = self._line.settings.topic_prefix + group
        asked = [ConsumerGroupTopicPartitions(name)]
        client = self._client()  # held until it has answered
        answer = client.list_consumer_group_offsets(asked)[name].result(10)
        return sum(
            max(0, one.offset)
            + sum(end - first for first, end in decode_holes(one.metadata or "", one.offset))
            for one in answer.topic_partitions
        )

    def _client(self):
        """A new one each time: what an older one remembers of a broker that was killed is wrong."""
        return AdminClient({"bootstrap.servers": self._line.settings.bootstrap, "log_level": 0})

    def groups_are_whole(self):
        """Whether every stage that runs is a member of its group, and none is joining."""
        client = self._client()
        for module, group in GROUPS.items():
            name = self._line.settings.topic_prefix + group
            found = client.describe_consumer_groups([name])[name].result(10)
            copies = sum(stage.module == module for stage in self._line.stages)
            if found.state != ConsumerGroupState.STABLE or len(found.members) != copies:
                return False
        return True

    def _ends(self):
        topics = self._line.topics
        names = [topics.calls, topics.dispatch, *map(topics.retry, topics.schedule)]
        asked = {
            TopicPartition(name, number): OffsetSpec.latest()
            for name in names
            for number in range(topics.all[name].partitions)
        }
        client = self._client()
        found = client.list_offsets(asked)
        return {(at.topic, at.partition): one.result(10).offset for at, one in found.items()}

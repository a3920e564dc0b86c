"""A `streaming.producer.Producer` without a broker."""

from types import SimpleNamespace

from confluent_kafka import KafkaError

from streaming.producer import Producer


class FakeProducer(Producer):
    """Keeps what was sent in `sent`; answers at once, or when the test lets the broker answer."""

    def __init__(self, *, at_once=True):
        self.sent, self.waiting, self.at_once = [], [], at_once

    def __len__(self):
        return len(self.waiting)

    def is_unanswered(self):
        return False

    def send(self, topic, key, value, acks, *, partition=-1, headers=None):
        self.sent.append(
            SimpleNamespace(
                topic=topic, key=key, value=value, partition=partition, headers=dict(headers or [])
            )
        )
        self.waiting.append(acks.reports)
        if self.at_once:
            self.acknowledge()

    def send_all(self, topic, records, acks):
        for key, value in records:
            self.send(topic, key, value, acks)

    def acknowledge(self, count=None, error=None):
        waiting = self.waiting[:count]
        del self.waiting[:count]
        while waiting:
            reports = waiting.pop(0)
            if error is not None:
                reports(error, None)

    def refuse(self):
        self.acknowledge(1, KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))

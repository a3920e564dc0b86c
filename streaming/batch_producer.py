"""A producer that writes all partitions of a broker in one request, batch by batch.

librdkafka sends a request for each partition, and copies, queues and frees each record by itself:
two thirds of what routing a match cost. Here a record is copied once, into the batch of its
partition, and what has gathered while the broker worked on one request goes with the next.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, final

from confluent_kafka import KafkaError, KafkaException

from streaming.acks import Acks
from streaming.broker import Broker, Refused, Request, Written
from streaming.errors import lasting
from streaming.pace import Pace
from streaming.partition_queue import NOBODY, PartitionQueue
from streaming.partitions import partition_of
from streaming.producer import SILENCE, Producer
from streaming.record_batch import RecordBatch
from streaming.settings import Settings
from streaming.topics import Topics

log = logging.getLogger(__name__)

LARGEST: Final = 1_000_000
"""Bytes of a request, but for a batch which is larger itself: so much gets through a thin line
before anyone takes it for dead."""
PAUSE: Final = 0.1
"""Seconds from one question who leads what to the next."""
LONGEST_PAUSE: Final = 0.5
"""The same while nothing comes of it. Not longer, for what is in hand when Kafka comes back may be
done twice."""
PATIENCE: Final = 5.0
"""Seconds that the answer to it may take."""
MOST_BYTES = 256 * 1024 * 1024
"""Of records that wait; who sends more waits too."""
GONE = 30.0
"""Seconds for which a topic may be unknown to Kafka before it counts as deleted."""


@final
class _Line:
    """Partitions that stand in line for one leader, or for somebody to find out who leads them."""

    def __init__(self, lock: threading.Lock) -> None:
        self.ready: list[PartitionQueue] = []
        self.changed = threading.Condition(lock)

    def join(self, queue: PartitionQueue) -> None:
        """With the lock held."""
        self.ready.append(queue)
        self.changed.notify()


class BatchProducer(Producer):
    """`send_all` in batches, to topics of ours; whatever else is written goes through librdkafka.

    Records of one key that are written in both ways are in no order. Nothing times out: what is
    written waits for its broker for ever.

    A partition that has something to send stands in one line, or is in the hands of the thread that
    serves the line. There is one for each broker, and one for partitions whose leader is not known.
    """

    def __init__(
        self, settings: Settings, client_id: str, topics: Topics, linger: float | None = None
    ) -> None:
        """`linger`: seconds from one request to a broker to the next, at least; by how busy the
        process is where none are given."""
        super().__init__(settings, client_id, linger=linger or 0.0)
        self._client_id = client_id
        self._linger = linger
        self._queues: dict[str, list[PartitionQueue]] = {
            name: [PartitionQueue(name, number) for number in range(topic.partitions)]
            for name, topic in topics.all.items()
        }
        self._lock = threading.Lock()
        """Of the lines, and of what is added to queues."""
        self._lines: dict[int, _Line] = {NOBODY: _Line(self._lock)}
        """By leader."""
        self._brokers: dict[int, Broker] = {}
        self._unanswered = 0
        self._bytes = 0
        """Of the records that are unanswered."""
        self._fewer = threading.Condition(self._lock)
        """Fewer records are unanswered."""
        self._heard_at: float = time.monotonic()
        """When the broker last took something, or nothing waited for it."""
        self._unknown_since: dict[str, float] = {}
        """Of topics."""
        self._failure: Exception | None = None
        self._ended = False
        self._threads: list[threading.Thread] = []
        self._start("leaders", self._find_leaders)

    def __len__(self) -> int:
        return self._unanswered + super().__len__()

    def is_unanswered(self) -> bool:
        """As `Producer.is_unanswered`. Raises what ended one of the threads: whatever waits for its
        answers would wait for ever."""
        if self._failure is not None:
            raise self._failure
        if self._unanswered > 0 and time.monotonic() - self._heard_at > SILENCE:
            return True
        return super().is_unanswered()

    def send_all(
        self, topic: str, records: Sequence[tuple[bytes | str | None, bytes | None]], acks: Acks
    ) -> None:
        """Each record has a key, a text, and a value. Blocks while `MOST_BYTES` wait. Raises what
        `is_unanswered` raises."""
        queues, reports = self._queues[topic], acks.reports
        partitions = len(queues)
        with self._lock:
            while self._bytes >= MOST_BYTES and not self._ended:
                if self._failure is not None:
                    raise self._failure
                self._fewer.wait()
            if not self._unanswered:
                self._heard_at = time.monotonic()
            self._unanswered += len(records)
            for key, value in records:
                assert isinstance(key, str)
                assert value is not None
                queue = queues[partition_of(key, partitions)]
                self._bytes += queue.add(key.encode(), value, reports)
                if not queue.busy:
                    queue.busy = True
                    self._lines[queue.leader].join(queue)

    def close(self, timeout: float) -> int:
        """`Producer.close`; what was not answered by then is given up."""
        until = time.monotonic() + timeout
        with self._lock:
            while self._unanswered and (left := until - time.monotonic()) > 0:
                self._fewer.wait(left)
            self._ended = True
            self._fewer.notify_all()
            for line in self._lines.values():
                line.changed.notify_all()
        for broker in list(self._brokers.values()):
            broker.close()
        for thread in self._threads:
            thread.join(1.0)
        return self._unanswered + super().close(max(until - time.monotonic(), 0.0))

    def _start(self, name: str, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:
                with self._lock:
                    self._failure = error
                    self._fewer.notify_all()

        thread = threading.Thread(target=run, name=f"producer-{name}", daemon=True)
        thread.start()
        self._threads.append(thread)

    # The lines, and who serves them.

    def _next(self, line: _Line, not_before: float) -> list[PartitionQueue]:
        """Wait until some are ready, and for that time; none at the end."""
        with self._lock:
            while not line.ready and not self._ended:
                line.changed.wait()
            while (early := not_before - time.monotonic()) > 0 and not self._ended:
                line.changed.wait(early)
            ready = [] if self._ended else line.ready
            line.ready = []
            for queue in ready:
                queue.seal()
            return ready

    def _line_up(self, queues: Sequence[PartitionQueue]) -> None:
        """Those that have something to send stand in their leader's line."""
        with self._lock:
            for queue in queues:
                queue.busy = len(queue) > 0
                if queue.busy:
                    self._lines[queue.leader].join(queue)

    def _answered(self, queues: Sequence[PartitionQueue], written: Written) -> None:
        """A partition that nothing was said of is tried again."""
        count = size = 0
        done: list[RecordBatch] = []
        for queue in queues:
            code = written.get((queue.topic, queue.number), KafkaError.NETWORK_EXCEPTION)
            if code:
                told = KafkaError(code).str()
                log.warning("UNWRITTEN [%s, %d]: %s", queue.topic, queue.number, told)
            if (batch := queue.answered(code)) is not None:
                count += batch.count
                size += batch.size
                done.append(batch)
                batch = None
        done.clear()  # which tells whoever waits for them, before they are no longer counted
        if count:
            with self._lock:
                self._unanswered -= count
                self._bytes -= size
                self._heard_at = time.monotonic()
                self._fewer.notify_all()
        self._line_up(queues)

    def _refuse(self, queues: Sequence[PartitionQueue], code: int) -> None:
        self._answered(queues, {(queue.topic, queue.number): code for queue in queues})

    def _write(self, line: _Line, broker: Broker) -> None:
        """Serve a broker's line."""
        pace, next_at = Pace(), 0.0
        while queues := self._next(line, next_at):
            gather = pace.gather() if self._linger is None else self._linger
            next_at = time.monotonic() + gather
            try:
                request, queues = self._request(broker, queues)
                written, rest = broker.write(request)
            except Refused as refusal:
                log.warning("REFUSED [%s:%d]: %s", *broker.address, refusal)
                self._refuse(queues, refusal.code)
            except OSError as error:
                if not self._ended:
                    log.warning("AWAY [%s:%d]: %s", *broker.address, error)
                self._leave(line)
                self._answered(queues, {})
            else:
                next_at = max(next_at, time.monotonic() + rest)
                self._answered(queues, written)

    def _leave(self, line: _Line) -> None:
        """Its broker is away: whoever else is led by it, as far as is known, asks first."""
        with self._lock:
            for queue in line.ready:
                queue.leader = NOBODY
                self._lines[NOBODY].join(queue)
            line.ready = []
            for queues in self._queues.values():
                for queue in queues:
                    if not queue.busy and self._lines[queue.leader] is line:
                        queue.leader = NOBODY

    def _request(
        self, broker: Broker, queues: list[PartitionQueue]
    ) -> tuple[Request, list[PartitionQueue]]:
        """The first batch of each, and of which there was room for one. Raises what `Broker`
        does."""
        now, size = int(time.time() * 1000), 0
        request: dict[str, list[tuple[int, bytes]]] = {}
        for place, queue in enumerate(queues):
            if queue.identity is None:
                queue.identify(broker.identify())
            batch = queue.encode(now)
            size += len(batch)
            if size > LARGEST and place:
                self._line_up(queues[place:])
                return request, queues[:place]
            request.setdefault(queue.topic, []).append((queue.number, batch))
        return request, queues

    def _find_leaders(self) -> None:
        """Serve the line of those without a leader."""
        line, asked_at, pause = self._lines[NOBODY], 0.0, 0.0
        while queues := self._next(line, asked_at + pause):
            pause = PAUSE if self._heard_at > asked_at else min(2 * pause, LONGEST_PAUSE)
            asked_at = time.monotonic()
            for topic in {queue.topic for queue in queues}:
                self._find_leaders_of(topic, [queue for queue in queues if queue.topic == topic])

    def _find_leaders_of(self, topic: str, queues: Sequence[PartitionQueue]) -> None:
        try:
            found = self._producer.list_topics(topic, timeout=PATIENCE)
        except KafkaException as error:
            log.warning("LEADERS [%s]: asking again; %s", topic, error.args[0].str())
            self._unknown_since.pop(topic, None)
            self._line_up(queues)
            return
        about = found.topics[topic]
        if about.error is not None:
            log.warning("LEADERS [%s]: asking again; %s", topic, about.error.str())
        if (code := self._given_up(topic, about.error)) is not None:
            self._refuse(queues, code)
            return
        for queue in queues:
            partition = about.partitions.get(queue.number)
            if partition is not None and partition.leader in found.brokers:
                leader = found.brokers[partition.leader]
                self._know(leader.id, leader.host, leader.port)
                queue.leader = leader.id
            elif about.error is None:
                log.warning("LEADERLESS [%s, %d]: asking again", topic, queue.number)
        self._line_up(queues)

    def _given_up(self, topic: str, error: KafkaError | None) -> int | None:
        """What is to be said of records for a topic that is gone, or not for us; None while they
        wait."""
        if error is not None and lasting(error):
            return int(error.code())
        if error is None or error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            self._unknown_since.pop(topic, None)
            return None
        since = self._unknown_since.setdefault(topic, time.monotonic())
        return KafkaError._UNKNOWN_TOPIC if time.monotonic() - since > GONE else None

    def _know(self, id_: int, host: str, port: int) -> None:
        """A broker, and where it is."""
        if (broker := self._brokers.get(id_)) is not None:
            broker.address = (host, port)
            return
        new = self._brokers[id_] = Broker((host, port), self._client_id)
        line = _Line(self._lock)
        with self._lock:
            self._lines[id_] = line
        self._start(str(id_), lambda: self._write(line, new))

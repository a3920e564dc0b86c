"""The consumer loop: one thread owns the Kafka consumer, and a stage says what to do with records.

Everything that touches the consumer happens in `ConsumerLoop.run`: reading, pausing, committing,
rebalancing. Other threads leave their completions in a mailbox that the loop empties.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from streaming import metrics
from streaming.clients import WAIT, Clients
from streaming.errors import lasting
from streaming.offsets import OffsetTracker, Records
from streaming.pace import Pace
from streaming.reading import noted
from streaming.settings import Settings
from streaming.stage import IDLE_POLL, Partition, Stage
from streaming.watchdog import Watchdog

log = logging.getLogger(__name__)

BATCH = 100
"""What becomes of more at once leaves the processor's cache before it is sent."""
PATIENCE = 0.5
"""Seconds that a full stage may keep the loop from polling. Only then are partitions paused,
because pausing throws away what has been fetched ahead."""
REVOKE_DRAIN = 1.0
"""Seconds that a rebalance waits for what is in flight. Healthy requests end within it; the group
does not wait for those that hang."""
SETTLE = 0.5
"""Seconds more that it waits for the broker's answers to what was written: what came of a record is
in Kafka, but its offset cannot be committed before."""
GRACE = 3.0
"""Seconds after the stop deadline until the process is ended from within."""
IN_DOUBT = 0.5
"""Of the session timeout: after so long without a turn the process stood still, and somebody else
may own its partitions."""
_NOT_OURS = frozenset({
    KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.FENCED_INSTANCE_ID,
})  # fmt: skip
STUCK = 60.0
"""Seconds without a turn of the loop after which the process calls itself dead."""


class ConsumerLoop:
    """Reads `topics` as a member of `group`, gives the records to a stage, commits what is done.

    Raises from `run` whatever stops it: a stage's error, one given to `fail`, or KafkaException.
    """

    def __init__(
        self,
        settings: Settings,
        group: str,
        topics: Sequence[str],
        waiting: Sequence[str] = (),
        wait: float = WAIT,
    ) -> None:
        """`waiting` and `wait` as for `Clients`."""
        self._settings = settings
        self._trackers: dict[Partition, OffsetTracker] = {}
        self._paused: set[Partition] = set()
        self._mailbox: deque[Sequence[Records]] = deque()
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._watchdog = Watchdog(settings.stop_deadline + GRACE)
        self._stage: Stage
        self._doubtful = False
        """It stood still, and the broker has not said yet whose the partitions are."""
        self._next_commit = 0.0
        self._next_batch = 0.0
        self._pace = Pace()
        self.assigned_once = False
        self._turned_at: float = time.monotonic()
        self._clients = Clients(settings, group, topics, self._committed, waiting, wait)
        timeout = int(self._clients.properties["session.timeout.ms"])
        self._doubt_after: float = IN_DOUBT * timeout / 1000

    # What other threads may call.

    def complete(self, done: Sequence[Records]) -> None:
        """Records are done."""
        self._mailbox.append(done)

    def abandon(self, tracker: OffsetTracker, count: int) -> None:
        """So many records of a revoked partition will not be done here."""
        self._mailbox.append(((tracker, -1, count),))

    def stuck(self) -> str | None:
        """For health checks: None while the loop turns, else since when it has not."""
        idle = time.monotonic() - self._turned_at
        return f"the consumer loop has not turned for {idle:.0f} s" if idle > STUCK else None

    def in_doubt(self) -> bool:
        """The loop has not turned for so long (the process was frozen, most likely) that its
        partitions may be another's: start nothing until the broker has said whose they are."""
        return self._doubtful or time.monotonic() - self._turned_at > self._doubt_after

    def stop(self) -> None:
        """End `run` after what is in flight, within the stop deadline."""
        self._stopping.set()
        self._watchdog.start()

    def fail(self, error: BaseException) -> None:
        """End `run` by raising: an output was refused for good, so no input may count as done."""
        self._failure = self._failure or error
        self._stopping.set()
        self._watchdog.start()

    # The loop.

    def run(self, stage: Stage) -> None:
        """Run until `stop` or `fail`."""
        self._stage = stage
        self._clients.subscribe(self._assign, self._revoke, self._lose)
        try:
            while not self._stopping.is_set():
                self._one_turn()
            if self._failure is None:
                self._finish()
        finally:
            self._clients.close()  # leaves the group; revokes, and so commits, what is left
            self._watchdog.cancel()
        if self._failure is not None:
            raise self._failure

    def _one_turn(self) -> None:
        if self.in_doubt():
            self._doubtful = not self._is_known_whose()
        self._turned_at = time.monotonic()
        self._empty_mailbox()
        if self._turned_at >= self._next_commit:
            self._next_commit = self._turned_at + self._settings.commit_interval
            self._commit(self._trackers.values(), wait=False)
        self._stage.turn()
        full = not self._wait_for_room()
        self._pause(set(self._trackers) if full else set(self._stage.closed()))
        if (early := self._next_batch - time.monotonic()) > 0:
            time.sleep(early)
        if messages := self._clients.read(BATCH, IDLE_POLL):
            gather = self._pace.gather()
            if len(messages) < BATCH:  # all that there was
                self._next_batch = time.monotonic() + gather
            self._take(messages)

    def _is_known_whose(self) -> bool:
        """Have the broker say whether the partitions are still ours, by a commit that changes
        nothing. It comes to know of a lost session before the consumer does."""
        for tracker in self._trackers.values():
            tracker.forget_commit()
            if (position := tracker.commit()) is not None:
                offset, metadata = position
                asked = TopicPartition(tracker.topic, tracker.partition, offset, metadata=metadata)
                try:
                    self._clients.commit(offsets=[asked], asynchronous=False)
                except KafkaException as error:
                    tracker.forget_commit()
                    if not self._doubtful:
                        log.warning("after standing still: %s", error.args[0].str())
                    if error.args[0].code() not in _NOT_OURS:
                        return False
                    self._lost()
                return True
        return True  # nothing was read, so nothing can be done twice

    def _finish(self) -> None:
        """Let what is in flight end, within the stop deadline.

        The group is listened to meanwhile: a member that does not answer a rebalance holds up all
        the others.
        """
        self._retire(self._trackers.values())
        until = time.monotonic() + self._settings.stop_deadline
        while any(tracker.in_hand for tracker in self._trackers.values()):
            if time.monotonic() > until or self._failure is not None:
                break
            self._pause(set(self._trackers))
            self._clients.listen(0.01)  # what it may return is not noted as read, so it is not lost
            self._turned_at = time.monotonic()
            self._empty_mailbox()
        self._commit(self._trackers.values(), wait=True)

    def _wait_for_room(self) -> bool:
        deadline = time.monotonic() + PATIENCE
        while not self._stage.has_room():
            if time.monotonic() > deadline or self._stopping.is_set():
                metrics.PAUSED.inc()
                return False
            time.sleep(0.002)
            self._empty_mailbox()
        return True

    def _pause(self, wanted: set[Partition]) -> None:
        wanted &= self._trackers.keys()
        if wanted == self._paused:
            return
        if stop := wanted - self._paused:
            self._clients.pause(stop)
        if go := (self._paused - wanted) & self._trackers.keys():
            self._clients.resume(go)
        self._paused = wanted

    def _take(self, messages: Sequence[Message]) -> None:
        reading = noted(messages, self._trackers)
        for error in reading.errors:
            self._check(error)
        for topic, count in reading.counts.items():
            metrics.RECORDS_IN.labels(topic).inc(count)
        if reading.repeats:
            metrics.REPEATS_SKIPPED.inc(reading.repeats)
        if reading.batch:
            self._stage.take(reading.batch)

    def _check(self, error: KafkaError) -> None:
        if lasting(error):
            raise KafkaException(error)
        log.warning("consumer: %s", error.str())  # librdkafka goes on by itself

    def _empty_mailbox(self) -> None:
        mailbox = self._mailbox
        while mailbox:
            for tracker, first, end in mailbox.popleft():
                if first < 0:
                    tracker.abandon(end)
                else:
                    tracker.complete(first, end)

    # Committing.

    def _commit(self, trackers: Collection[OffsetTracker], *, wait: bool) -> None:
        offsets = []
        for tracker in trackers:
            if (position := tracker.commit()) is not None:
                offset, metadata = position
                offsets.append(
                    TopicPartition(tracker.topic, tracker.partition, offset, metadata=metadata)
                )
        if not offsets:
            return
        try:
            if wait:
                self._clients.commit(offsets=offsets, asynchronous=False)
            else:
                self._clients.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            self._committed(error.args[0], offsets)

    def _committed(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """The broker's answer; a refused commit is made again with the next."""
        error = error or next((p.error for p in partitions if p.error is not None), None)
        if error is None:
            metrics.COMMITS.labels("ok").inc()
            return
        metrics.COMMITS.labels("failed").inc()
        log.warning("commit failed: %s", error.str())
        for partition in partitions:
            tracker = self._trackers.get((partition.topic, partition.partition))
            if tracker is not None:
                tracker.forget_commit()

    # Rebalancing: called by librdkafka inside `poll` and `close`, in the loop's thread.

    def _assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._trackers = {}
        if self._stopping.is_set():
            self._clients.assign([])
            return
        start = [self._resumed(position) for position in self._positions(partitions)]
        self._clients.assign(start)
        log.info("assigned", extra={"partitions": _listed(self._trackers)})
        self._stage.assigned(self._trackers.keys())
        self._turned_at = time.monotonic()  # what it took to get here is no standing still
        self._doubtful = False
        self.assigned_once = True
        # A pause outlives an assignment, and a closed partition must not speak even once.
        self._paused = set(self._trackers)
        self._pause(set(self._stage.closed()))
        if self._paused:
            self._clients.pause(self._paused)

    def _positions(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """The committed offsets with their metadata. Raises KafkaException after 30 s."""
        if not partitions:
            return []
        deadline = time.monotonic() + 30
        while True:
            try:
                return list(self._clients.committed(partitions, timeout=5))
            except KafkaException as error:
                if time.monotonic() > deadline or lasting(error.args[0]):
                    raise
                log.warning("committed offsets: %s; asking again", error.args[0].str())

    def _resumed(self, position: TopicPartition) -> TopicPartition:
        if position.error is not None:
            raise KafkaException(position.error)
        partition = (position.topic, position.partition)
        self._trackers[partition] = OffsetTracker(
            *partition, position.offset, position.metadata or ""
        )
        return TopicPartition(*partition, position.offset)

    def _revoke(self, _: Consumer, __: list[TopicPartition]) -> None:
        # With the eager protocol everything is taken away, whatever is given back afterwards.
        trackers = list(self._trackers.values())
        self._retire(trackers)
        self._await(trackers, REVOKE_DRAIN)
        # From here on no retry is written, then the commit has all that were: one that is in Kafka
        # beside a record that is read again would be a second copy, with a schedule of its own.
        for tracker in trackers:
            tracker.gone = True
        self._await(trackers, SETTLE, self._stage.settled)
        if self._failure is None:
            self._commit(trackers, wait=True)
        self._trackers, self._paused, self._doubtful = {}, set(), False
        self._clients.unassign()
        log.info("revoked", extra=_given_up(trackers))

    def _await(
        self,
        trackers: Collection[OffsetTracker],
        seconds: float,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait so long for what is in hand, unless it is `enough` before."""
        until = time.monotonic() + seconds
        self._empty_mailbox()
        while any(tracker.in_hand for tracker in trackers) and time.monotonic() < until:
            if self._failure is not None or enough():
                break
            time.sleep(0.002)
            self._empty_mailbox()
        self._empty_mailbox()  # what came before it was enough

    def _retire(self, trackers: Collection[OffsetTracker]) -> None:
        """Have the stage start nothing more of these partitions."""
        fresh = [tracker for tracker in trackers if not tracker.revoked]
        for tracker in fresh:
            tracker.revoked = True
        if fresh:
            self._stage.revoked(fresh)

    def _lose(self, _: Consumer, __: list[TopicPartition]) -> None:
        self._lost()

    def _lost(self) -> None:
        """Taken away without being asked, after a pause of ours: somebody else has them already."""
        trackers = list(self._trackers.values())
        self._trackers, self._paused, self._doubtful = {}, set(), False
        self._clients.forget()
        for tracker in trackers:
            tracker.gone = True
        self._retire(trackers)
        log.warning("partitions lost", extra=_given_up(trackers))


def _given_up(trackers: Collection[OffsetTracker]) -> dict[str, int]:
    """For the log: `unfinished` records were begun here and will be done again elsewhere."""
    unfinished = sum(tracker.in_hand for tracker in trackers)
    return {"partitions": len(trackers), "unfinished": unfinished}


def _listed(partitions: Collection[Partition]) -> str:
    """`pca.calls[0,1,2] pca.dispatch[…]`, for the log."""
    by_topic: dict[str, list[int]] = {}
    for topic, partition in sorted(partitions):
        by_topic.setdefault(topic, []).append(partition)
    return " ".join(
        f"{topic}[{','.join(map(str, numbers))}]" for topic, numbers in by_topic.items()
    )

"""What ended in `pca.dead`, sent again: found by a filter, and put back on `pca.dispatch`.

The topic is read twice between the same offsets: once to find what matches, by the heads of the
records alone, and once from the first match to the last to write them. So memory holds some 300
bytes a match however large the records are, the last record of a dispatch is known before anything
is sent, and a dry run is the first half.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

from confluent_kafka import KafkaError, KafkaException, Message

from console.dead_topic import KAFKA_SECONDS, DeadTopic
from schemas import binary
from schemas.codec import Codec, Undecodable
from schemas.configuration import action_key
from schemas.dispatch import HEAD, opened
from schemas.released import Record
from streaming.acks import Acks
from streaming.producer import Headers, Producer
from streaming.settings import Settings
from streaming.topics import topics
from streaming.wire import codec as codec_of

Progress = Callable[[int, int], None]
"""Called with how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dispatches; what is None or empty is met by all. Times in microseconds since 1970."""

    account_id: str | None = None
    action_id: str | None = None
    errors: frozenset[str] = frozenset()
    sid: str | None = None
    since: int | None = None
    """Ended then or later."""
    until: int | None = None
    """Ended before then."""
    limit: int | None = None
    """At most so many, those that ended first."""

    def matches(self, head: Record, ended_at: int) -> bool:
        """Whether a Dispatch, of which `head` has the leading fields, is meant."""
        return (
            self.account_id in (None, head["account_id"])
            and self.action_id in (None, head["action_id"])
            and self.sid in (None, head["sid"])
            and (not self.errors or error_of(head) in self.errors)
            and (self.since is None or ended_at >= self.since)
            and (self.until is None or ended_at < self.until)
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """What dispatches are counted by."""

    account_id: str
    action_id: str
    error: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A dispatch that matches, and where its record lies. `at` in microseconds since 1970."""

    at: int
    partition: int
    offset: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Row:
    """How many of a kind, and when the first and the last of them ended."""

    kind: Kind
    count: int
    first: int
    last: int


class Found:
    """What matches, one record a dispatch: the last that was added."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._ended: dict[str, Ended] = {}
        self._kinds: dict[Kind, Kind] = {}
        self.read = 0
        """Dispatches that were looked at, matching or not."""
        self.unreadable = 0
        """Records that are kept as they came because they could not be read: never sent again."""

    def add(self, head: Record, written_at: int, partition: int, offset: int) -> None:
        """Look at a Dispatch by its head; `written_at` where it does not say when it failed."""
        self.read += 1
        at = head["failure"]["failed_at"] if head["failure"] else written_at
        if self._wanted.matches(head, at):
            kind = Kind(head["account_id"], head["action_id"], error_of(head))
            kind = self._kinds.setdefault(kind, kind)  # one object for all: there are millions
            self._ended[head["dispatch_id"]] = Ended(at, partition, offset, kind)

    @property
    def matching(self) -> int:
        """Dispatches that match, beyond the limit too."""
        return len(self._ended)

    def chosen(self) -> list[Ended]:
        """Those to send, in the order in which they ended."""
        by_time = sorted(self._ended.values(), key=lambda one: (one.at, one.partition, one.offset))
        return by_time[: self._wanted.limit]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a replay."""

    count: int
    """Dispatches on `pca.dispatch`, acknowledged by the broker."""
    found: Found = field(repr=False)
    gone: int = 0
    """Those whose time on `pca.dead` was over before they could be read again."""


def error_of(head: Record) -> str:
    """The class of the failure; empty where a foreign producer wrote none."""
    return str(head["failure"]["error"]) if head["failure"] else ""


def summary(ended: Iterable[Ended]) -> list[Row]:
    """How many of each kind, by name."""
    times: dict[Kind, list[int]] = {}
    for one in ended:
        times.setdefault(one.kind, []).append(one.at)
    rows = (Row(kind, len(at), min(at), max(at)) for kind, at in times.items())
    return sorted(rows, key=lambda r: (r.kind.account_id, r.kind.action_id, r.kind.error))


def again(codec: Codec, header: bytes, value: bytes | None, now: int) -> tuple[str, bytes]:
    """Key and value for `pca.dispatch`: the same dispatch, to be tried for the first time.

    Its id stays, so that a receiver can tell the repetition; call and action stay byte for byte.
    `routed_at` becomes `now`, microseconds since 1970: by it the dispatcher tells how long one has
    waited in vain, and puts it off for half of that. What ended yesterday would be put off for half
    an hour whenever its lane is full or its endpoint is being probed. Raises as `opened`.
    """
    head, value, rest = opened(codec, value)
    anew = {**head, "attempt": 1, "due_at": None, "failure": None, "routed_at": now}
    made = binary.write(HEAD, anew, header) + value[rest:]
    return action_key(head["account_id"], head["action_id"]), made


def _unwatched(_: int, __: int) -> None:
    """Nobody looks on."""


def replay(settings: Settings, wanted: Wanted, progress: Progress = _unwatched) -> Replayed:
    """Put what is wanted back on `pca.dispatch`. Raises as `find` and `send`."""
    return send(settings, find(settings, wanted), progress)


def find(settings: Settings, wanted: Wanted, progress: Progress = _unwatched) -> Found:
    """What lies on `pca.dead` now and is wanted; `progress` counts records. Writes nothing.

    Raises `TopicError` where a topic is missing, KafkaException where Kafka does not answer or
    refuses, `RegistryUnavailable` where the schema registry does.
    """
    found = Found(wanted)
    with closing(codec_of(settings)) as codec, closing(DeadTopic(settings)) as dead:
        spans = dead.spans()
        done, total = 0, sum(high - low for low, high in spans.values())
        progress(done, total)
        for batch in dead.batches(spans):
            for message in batch:
                _look_at(message, codec, found)
            done += len(batch)
            progress(done, total)
    return found


def _look_at(message: Message, codec: Codec, found: Found) -> None:
    # Kept as it came, with the reason beside it: even where it can be read by now, its dispatcher
    # could not, and nobody knows what it is.
    headers = cast("Headers", message.headers() or [])
    if any(name == "reason" for name, _ in headers):
        found.unreadable += 1
        return
    try:
        head, _, _ = opened(codec, message.value())
    except Undecodable:
        found.unreadable += 1
        return
    written_at = message.timestamp()[1] * 1000
    found.add(head, written_at, cast("int", message.partition()), cast("int", message.offset()))


def send(settings: Settings, found: Found, progress: Progress = _unwatched) -> Replayed:
    """Write what was found to `pca.dispatch`; returns when the broker has acknowledged all of it.

    `progress` counts what is acknowledged. Raises KafkaException where the broker refuses or is
    silent for `KAFKA_SECONDS`: what was acknowledged until then is sent. `RegistryUnavailable` too.
    """
    chosen = found.chosen()
    offsets: dict[int, set[int]] = {}
    for one in chosen:
        offsets.setdefault(one.partition, set()).add(one.offset)
    spans = {partition: (min(these), max(these) + 1) for partition, these in offsets.items()}
    topic, done = topics(settings).dispatch, 0
    progress(done, len(chosen))
    if not chosen:
        return Replayed(0, found)
    with closing(codec_of(settings)) as codec, closing(DeadTopic(settings)) as dead:
        header = codec.header("Dispatch", topic)
        producer = Producer(settings, "pca-replay", timeout=KAFKA_SECONDS)
        try:
            for batch in dead.batches(spans):
                now = time.time_ns() // 1000
                records = [
                    again(codec, header, message.value(), now)
                    for message in batch
                    if message.offset() in offsets[cast("int", message.partition())]
                ]
                _write(producer, topic, records)
                done += len(records)
                progress(done, len(chosen))
        finally:
            producer.close(1)
    return Replayed(done, found, gone=len(chosen) - done)


def _write(producer: Producer, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
    """One batch after the other, so that no more than that is in hand."""
    answered = threading.Event()
    errors: list[KafkaError | None] = []

    def acknowledged(error: KafkaError | None) -> None:
        errors.append(error)
        answered.set()

    acks = Acks(acknowledged)
    for key, value in records:
        producer.send(topic, key, value, acks)
    acks.seal()
    answered.wait()  # the producer's timeout bounds it
    if errors[0] is not None:
        raise KafkaException(errors[0])

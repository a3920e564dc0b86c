"""What became of dispatches, written to Kafka: attempts, retries, the dead, states of endpoints."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from dispatcher.attempts import Try, attempt
from dispatcher.breaker import Breaker, Change
from dispatcher.flight import Flight
from dispatcher.traffic import Moved
from schemas.codec import Codec
from schemas.released import Record, current
from streaming import metrics
from streaming.acks import Acks
from streaming.consumer import ConsumerLoop
from streaming.producer import Producer, is_behind
from streaming.topics import Topics

log = logging.getLogger(__name__)

_SAID = {"opened": logging.INFO, "closed": logging.INFO, "resumed": logging.INFO,
         "warned": logging.WARNING, "paused": logging.WARNING}  # fmt: skip
"""The changes worth a line; a probe that failed is none."""


class Ledger:
    """Writes in batches; an offset is complete once the broker has all that came of its record."""

    def __init__(
        self, consumer: ConsumerLoop, producer: Producer, codec: Codec, topics: Topics
    ) -> None:
        self._consumer = consumer
        self._producer = producer
        self._topics = topics
        self._attempt_header = codec.header("Attempt", topics.attempts)
        self._endpoint_header = codec.header("Endpoint", topics.endpoints)
        self._endpoint = current("Endpoint")
        self._dispatch_headers = {
            topic: codec.header("Dispatch", topic)
            for topic in (topics.dead, *(topics.retry(delay) for delay in topics.schedule))
        }
        self._delivered = metrics.ATTEMPTS.labels("delivered", "")

    def is_behind(self) -> bool:
        """Kafka does not keep up."""
        return is_behind(self._producer)

    def write(self, ended: Sequence[Try], moved: Sequence[Moved[Flight]], now: int) -> None:
        """Write what came of tries, and what is sent round. `now` in microseconds."""
        done: list[Flight] = []
        acks = Acks(lambda error: self._acknowledged(error, done))
        delivered = 0
        attempts = []
        for one in ended:
            flight = one.flight
            if one.outcome.name not in ("retry", "dead"):
                done.append(flight)
            elif self._is_here(flight):
                self._write_on(one, acks)
                done.append(flight)
            attempts.append((flight.account_id, attempt(one, self._attempt_header)))
            metrics.ATTEMPT_SECONDS.add(one.duration_us / 1e6)
            if one.error:
                metrics.ATTEMPTS.labels(one.outcome.name, one.error).inc()
            else:
                delivered += 1
        self._producer.send_all(self._topics.attempts, attempts, acks)
        if delivered:
            self._delivered.inc(delivered)
        for move in moved:
            if self._is_here(move.item):
                self._send_round(move, now, acks)
                done.append(move.item)
        acks.seal()

    def _is_here(self, flight: Flight) -> bool:
        """Whether what comes next of a dispatch is ours to write. Of a partition that was taken
        away, somebody else has it as it was read: a retry of ours would be a second one, and fork
        again at the next rebalance. So its record is not done here either."""
        return not flight.tracker.gone

    def _write_on(self, one: Try, acks: Acks) -> None:
        result = one.outcome
        retried = result.name == "retry"
        failure = {
            "error": one.error,
            "detail": one.detail[:2000],
            "status": one.answer.status if one.answer is not None else None,
            "failed_at": one.started_at + one.duration_us,
        }
        changes = {
            "attempt": one.flight.attempt + (1 if retried else 0),
            "due_at": result.due_at,
            "failure": failure,
        }
        topic = self._topics.retry(result.delay) if retried else self._topics.dead
        self._dispatch(topic, one.flight, changes, acks)

    def _send_round(self, move: Moved[Flight], now: int, acks: Acks) -> None:
        metrics.PUT_OFF.labels(move.why).inc()
        if move.to is None:
            failure = {
                "error": "paused",
                "detail": "its action is paused: `pca config resume`, then `pca replay`",
                "status": None,
                "failed_at": now,
            }
            changes: Record = {"due_at": None, "failure": failure}
            self._dispatch(self._topics.dead, move.item, changes, acks)
        else:
            topic = self._topics.retry(move.to.delay)
            self._dispatch(topic, move.item, {"due_at": move.to.due_at}, acks)

    def _dispatch(self, topic: str, flight: Flight, changes: dict[str, Any], acks: Acks) -> None:
        value = flight.rewritten(self._dispatch_headers[topic], changes)
        self._producer.send(topic, flight.key, value, acks)

    def publish(self, changes: Mapping[str, tuple[Change, Breaker]], now: int) -> None:
        """Write the states of endpoints (by action key, with what happened), so that they are
        seen and survive a restart. No offset waits for them."""
        acks = Acks(self._published)
        for key, (change, breaker) in changes.items():
            account_id, _, action_id = key.partition("/")
            record = breaker.record(account_id, action_id, now)
            value = self._endpoint_header + self._endpoint.encode(record)
            self._producer.send(self._topics.endpoints, key, value, acks)
            metrics.ENDPOINT_CHANGES.labels(change).inc()
            if change in _SAID:
                told = {"account": account_id, "action": action_id, "error": breaker.error}
                log.log(_SAID[change], "endpoint %s", change, extra=told)
        acks.seal()

    def _published(self, error: KafkaError | None) -> None:
        if error is not None:
            self._consumer.fail(KafkaException(error))

    def _acknowledged(self, error: KafkaError | None, flights: Sequence[Flight]) -> None:
        """In the producer's thread."""
        if error is not None:
            self._consumer.fail(KafkaException(error))
            return
        self._consumer.complete(
            [(flight.tracker, flight.offset, flight.offset + 1) for flight in flights]
        )

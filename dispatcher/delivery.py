"""The event loop's side: takes flights, sends them when it is their turn, writes what came of it.

Decisions are made by `Lanes`, `Delays` and `outcome`; this is the shell that carries them out.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import Concatenate, ParamSpec

from confluent_kafka import KafkaError, KafkaException

from dispatcher.attempts import Try, attempt_record, shown
from dispatcher.delays import Delays
from dispatcher.flight import Flight, rewritten
from dispatcher.lanes import Lanes
from dispatcher.outcome import Schedule, outcome
from dispatcher.render import Unsendable
from dispatcher.transport import Transport, TransportError
from schemas.codec import Codec
from schemas.released import current
from streaming import metrics
from streaming.consumer import ConsumerLoop
from streaming.producer import Acks, Producer
from streaming.topics import Topics

log = logging.getLogger(__name__)

HELD_PER_PARTITION = 1024 * 1024
"""Bytes of retries kept for each partition of a retry topic before reading of it pauses."""
HELD_IN_HAND = 256 * 1024 * 1024
"""Bytes of dispatches waiting for their turn or in flight before no more is taken in."""


_P = ParamSpec("_P")


def _or_stop(
    callback: Callable[Concatenate[Delivery, _P], None],
) -> Callable[Concatenate[Delivery, _P], None]:
    """Have an error in a callback of the event loop stop the process: the loop would only log it,
    and the dispatches hang."""

    @functools.wraps(callback)
    def guarded(self: Delivery, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            callback(self, *args, **kwargs)
        except Exception as error:  # whatever it is, it is ours
            self.fail(error)

    return guarded


class Delivery:
    """All methods run on the event loop unless they say otherwise."""

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        consumer: ConsumerLoop,
        producer: Producer,
        transport: Transport,
        codec: Codec,
        topics: Topics,
        schedule: Schedule,
        in_flight: int,
        in_flight_per_action: int,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`clock` gives microseconds since 1970."""
        self._loop = loop
        self._consumer = consumer
        self._producer = producer
        self._transport = transport
        self._topics = topics
        self._schedule = schedule
        self._clock = clock
        self._lanes: Lanes[Flight] = Lanes(in_flight, in_flight_per_action)
        self._capacity = 2 * in_flight
        self._delays: Delays[Flight] = Delays(HELD_PER_PARTITION)
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: list[Try] = []
        self._bytes = 0  # of what is in the lanes or in flight
        self._coming = 0  # given to the loop and not yet in the lanes; counted by the consumer
        self._arrived = 0
        self._attempt_header = codec.header("Attempt", topics.attempts)
        self._attempt = current("Attempt")
        self._dispatch_headers = {
            topic: codec.header("Dispatch", topic)
            for topic in (topics.dead, *(topics.retry(delay) for delay, _ in schedule.delays))
        }
        self._outcomes = {
            name: metrics.ATTEMPTS.labels(name, "") for name in ("delivered", "retry", "dead")
        }

    # Called by the consumer's thread.

    def has_room(self) -> bool:
        """False while twice as much is in hand as may be in flight, or Kafka does not keep up."""
        in_hand = self._lanes.waiting + self._lanes.in_flight + self._coming - self._arrived
        return (
            in_hand < self._capacity and self._bytes < HELD_IN_HAND and len(self._producer) < 20_000
        )

    def full(self) -> Collection[object]:
        """(topic, partition) of which enough retries are kept."""
        return self._delays.full

    def hand_over(self, flights: Sequence[Flight]) -> None:
        """Give flights to the event loop: one call for a batch."""
        self._coming += len(flights)
        self._loop.call_soon_threadsafe(self._accept, flights)

    def hand_back(self) -> None:
        """Have what has not started abandoned where its partition is being taken away."""
        self._loop.call_soon_threadsafe(self._discard)

    # On the event loop.

    @_or_stop
    def _accept(self, flights: Sequence[Flight]) -> None:
        now = self._clock()
        self._arrived += len(flights)
        for flight in flights:
            if flight.tracker.revoked:
                self._consumer.abandon(flight.tracker, 1)
            elif flight.due_at is not None and flight.due_at > now:
                group = (flight.tracker.topic, flight.tracker.partition)
                self._delays.add(flight.due_at, group, flight, flight.weight)
            else:
                self._offer(flight)
        self._set_timer(now)
        self._start()

    def _offer(self, flight: Flight) -> None:
        self._lanes.offer(flight.key, flight)
        self._bytes += flight.weight

    def _set_timer(self, now: int) -> None:
        due = self._delays.next_due()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = self._loop.call_later(max(0, due - now) / 1e6, self._wake)

    @_or_stop
    def _wake(self) -> None:
        now = self._clock()
        for flight in self._delays.take(now):
            self._offer(flight)
        self._timer = None
        self._set_timer(now)
        self._start()

    @_or_stop
    def _discard(self) -> None:
        waiting = self._lanes.discard(_is_revoked)
        self._bytes -= sum(flight.weight for flight in waiting)
        for flight in waiting + self._delays.discard(_is_revoked):
            self._consumer.abandon(flight.tracker, 1)

    def _start(self) -> None:
        """Start everything whose turn it is. A task sends one flight after another while there
        are any, so a busy dispatcher makes no task a dispatch."""
        while (flight := self._lanes.next()) is not None:
            task = self._loop.create_task(self._send_on(flight))
            self._tasks.add(task)
            task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._consumer.fail(error)  # a fault of ours: stop rather than lose a dispatch

    async def _send_on(self, flight: Flight | None) -> None:
        while flight is not None:
            if flight.tracker.revoked:
                self._consumer.abandon(flight.tracker, 1)
            else:
                self._end(await self._try(flight))
            self._lanes.ended(flight.key)
            self._bytes -= flight.weight
            flight = self._lanes.next()

    async def _try(self, flight: Flight) -> Try:
        started_at, started = self._clock(), time.perf_counter_ns()
        request = answer = None
        error = detail = ""
        try:
            request = flight.request(started_at)
            answer = await self._transport.send(request)
        except (Unsendable, TransportError) as failed:
            error, detail = failed.error, shown(str(failed))
        ended = self._clock()
        status = answer.status if answer is not None else None
        result = outcome(status, error, flight.dispatch["attempt"], self._schedule, ended)
        if status is not None and result.name != "delivered":
            error, detail = "status", f"the server answered {status}"
        duration = (time.perf_counter_ns() - started) // 1000
        return Try(flight, started_at, duration, request, answer, error, detail, result)

    def _end(self, ended: Try) -> None:
        """Collect what ended in this turn of the event loop, to be written as one."""
        if not self._ended:
            self._loop.call_soon(self._write)
        self._ended.append(ended)

    @_or_stop
    def _write(self) -> None:
        """Write attempts, retries and dead dispatches; complete their offsets once the broker has
        them all."""
        ended, self._ended = self._ended, []
        acks = Acks(lambda error: self._acknowledged(error, ended))
        for one in ended:
            # Of a partition that was taken away, somebody else has the dispatch as it was read: a
            # retry of ours would be a second one, and fork again at the next rebalance.
            if one.outcome.name in ("retry", "dead") and not one.flight.tracker.gone:
                self._write_on(one, acks)
            self._producer.send(
                self._topics.attempts,
                one.flight.dispatch["account_id"],
                self._attempt_header + self._attempt.encode(attempt_record(one)),
                acks,
            )
            metrics.ATTEMPT_SECONDS.observe(one.duration_us / 1e6)
            if one.error:
                metrics.ATTEMPTS.labels(one.outcome.name, one.error).inc()
            else:
                self._outcomes[one.outcome.name].inc()
        acks.seal()

    def _write_on(self, one: Try, acks: Acks) -> None:
        dispatch, result = one.flight.dispatch, one.outcome
        retried = result.name == "retry"
        topic = self._topics.retry(result.delay) if retried else self._topics.dead
        changes = {
            "attempt": dispatch["attempt"] + (1 if retried else 0),
            "due_at": result.due_at,
            "failure": {
                "error": one.error,
                "detail": one.detail[:2000],
                "status": one.answer.status if one.answer is not None else None,
                "failed_at": one.started_at + one.duration_us,
            },
        }
        value = rewritten(one.flight, self._dispatch_headers[topic], changes)
        self._producer.send(topic, one.flight.key, value, acks)

    def _acknowledged(self, error: KafkaError | None, ended: Sequence[Try]) -> None:
        """In the producer's thread."""
        if error is not None:
            self._consumer.fail(KafkaException(error))
            return
        self._consumer.complete(
            [(one.flight.tracker, one.flight.offset, one.flight.offset + 1) for one in ended]
        )

    def fail(self, error: BaseException) -> None:
        """Stop the process: nothing in hand may count as done."""
        self._consumer.fail(error)

    def show(self) -> None:
        """Bring the gauges up to date."""
        metrics.IN_FLIGHT.set(self._lanes.in_flight)
        metrics.WAITING.set(self._lanes.waiting)
        metrics.DELAYED.set(len(self._delays))

    async def close(self) -> None:
        """End what still hangs. Its offsets stay incomplete, so it is sent again elsewhere."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.close()


def _is_revoked(flight: Flight) -> bool:
    return flight.tracker.revoked

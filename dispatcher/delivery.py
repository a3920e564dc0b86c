"""The event loop's side: takes flights, sends them when it is their turn, has the rest written.

Decisions are made by `Traffic`; this is the shell that carries them out.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Concatenate, ParamSpec

from dispatcher.attempts import Try
from dispatcher.endpoint_table import States
from dispatcher.flight import Flight
from dispatcher.ledger import Ledger
from dispatcher.masking import shown
from dispatcher.outcome import retry_after, succeeded
from dispatcher.request import Request, Unsendable
from dispatcher.traffic import Moved, Traffic
from dispatcher.transport import Transport
from dispatcher.transport.answer import Answer, Trace, TransportError
from streaming import metrics
from streaming.consumer import ConsumerLoop
from streaming.partitions import partition_of

LONGEST_SLEEP = 1_000_000
"""Microseconds until it looks at the clock again, which somebody may have put back or forward."""
DOUBTFUL = 50_000
"""Microseconds until it is asked again whether the partitions are still ours."""

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
        ledger: Ledger,
        transport: Transport,
        traffic: Traffic[Flight],
        partitions: int,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`partitions` of `pca.dispatch`; `clock` gives microseconds since 1970."""
        self._loop = loop
        self._consumer = consumer
        self._ledger = ledger
        self._transport = transport
        self._traffic = traffic
        self._partitions = partitions
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._closed = False
        self._ended: list[Try] = []
        self._moved: list[Moved[Flight]] = []
        self._write_is_due = False
        self._coming = 0  # given to the loop and not yet with `traffic`; counted by the consumer
        self._arrived = 0

    # Called by the consumer's thread.

    def has_room(self) -> bool:
        """False while enough is in hand, or Kafka does not keep up."""
        coming = self._coming - self._arrived
        return self._traffic.has_room(coming) and not self._ledger.is_behind()

    def late_is_full(self) -> bool:
        """See `Traffic.late_is_full`."""
        return self._traffic.late_is_full()

    def share_out(self, partitions: int) -> None:
        """See `Traffic.share_out`."""
        self._traffic.share_out(partitions)

    def full(self) -> Collection[object]:
        """(topic, partition) of which enough retries are kept until they are due."""
        return self._traffic.delays.full

    def hand_over(self, flights: Sequence[Flight]) -> None:
        """Give flights to the event loop: one call for a batch."""
        self._coming += len(flights)
        self._loop.call_soon_threadsafe(self._accept, flights)

    def hand_back(self) -> None:
        """Have what has not started abandoned where its partition is being taken away."""
        self._loop.call_soon_threadsafe(self._discard)

    def restore(self, states: States) -> None:
        """See `endpoint_table.Keeper`."""
        self._loop.call_soon_threadsafe(self._restore, states)

    def drop(self, partitions: Collection[int]) -> None:
        """See `endpoint_table.Keeper`."""
        self._loop.call_soon_threadsafe(self._drop, partitions)

    # On the event loop.

    @_or_stop
    def _accept(self, flights: Sequence[Flight]) -> None:
        here = [flight for flight in flights if not flight.tracker.revoked]
        for flight in flights:
            if flight.tracker.revoked:
                self._consumer.abandon(flight.tracker, 1)
        now = self._clock()
        self._move(self._traffic.arrive(here, now))
        self._arrived += len(flights)
        self._start(now)

    @_or_stop
    def _wake(self) -> None:
        self._timer = None
        now = self._clock()
        self._move(self._traffic.wake(now))
        self._start(now)

    @_or_stop
    def _discard(self) -> None:
        for flight in self._traffic.discard(_is_revoked):
            self._consumer.abandon(flight.tracker, 1)

    @_or_stop
    def _restore(self, states: States) -> None:
        now = self._clock()
        for key, record in states.items():
            self._traffic.endpoints.restore(key, record, now)
        self._show_endpoints()

    @_or_stop
    def _drop(self, partitions: Collection[int]) -> None:
        self._traffic.endpoints.drop(lambda key: partition_of(key, self._partitions) in partitions)
        self._show_endpoints()

    def _start(self, now: int) -> None:
        """Start everything whose turn it is."""
        while (flight := self._next(now)) is not None:
            self._send(flight, now)
        self._set_timer(now)

    def _next(self, now: int) -> Flight | None:
        # Of what waited here while the process was frozen, somebody else has the dispatches.
        return None if self._consumer.in_doubt() else self._traffic.next(now)

    def _set_timer(self, now: int) -> None:
        """Wake up when there is something to do; a timer that goes off earlier does no harm."""
        at = now + DOUBTFUL if self._consumer.in_doubt() else self._traffic.next_wake()
        if at is None:
            return
        at = min(at, now + LONGEST_SLEEP)
        if self._timer is not None and self._timer_at <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(max(0, at - now) / 1e6, self._wake)

    def _send(self, flight: Flight, now: int) -> bool:
        """Whether it is under way: one of which no request can be made has ended already."""
        if flight.tracker.revoked:
            self._traffic.abandoned(flight)
            self._consumer.abandon(flight.tracker, 1)
            return False
        started = time.perf_counter_ns()
        try:
            request = flight.request(now)
        except Unsendable as failed:
            self._judge(flight, now, started, now, None, None, Trace(), failed.error, str(failed))
            return False
        self._transport.start(request, partial(self._answered, flight, now, started, request))
        return True

    def _answered(
        self,
        flight: Flight,
        started_at: int,
        started: int,
        request: Request,
        result: Answer | TransportError,
    ) -> None:
        try:  # as `_or_stop`, which would cost each request a dict and a tuple
            if not self._closed:
                self._go_on(flight, started_at, started, request, result)
        except Exception as error:
            self.fail(error)

    def _go_on(
        self,
        flight: Flight,
        started_at: int,
        started: int,
        request: Request,
        result: Answer | TransportError,
    ) -> None:
        """A try has ended; the next one starts in its place, so a busy dispatcher makes no task."""
        now = self._clock()
        if isinstance(result, TransportError):
            error, detail = result.error, str(result)
            trace = result.trace
            self._judge(flight, started_at, started, now, request, None, trace, error, detail)
        else:
            self._judge(flight, started_at, started, now, request, result, result.trace, "", "")
        while (following := self._next(now)) is not None:
            if self._send(following, now):
                return
        self._set_timer(now)

    def _judge(
        self,
        flight: Flight,
        started_at: int,
        started: int,
        now: int,
        request: Request | None,
        answer: Answer | None,
        trace: Trace,
        error: str,
        detail: str,
    ) -> None:
        duration = (time.perf_counter_ns() - started) // 1000
        status, wait = None, 0.0
        if answer is not None:
            status = answer.status
            if not succeeded(status):
                wait = retry_after(answer.headers, now)
                detail = f"the server answered {status}"
        else:
            detail = shown(detail)
        # Once the partition is gone, another process judges the endpoint, and tells of it.
        ours = not flight.tracker.gone
        ending = self._traffic.ended(flight, status, error, detail, now, wait, ours=ours)
        self._move(ending.moved)
        if status is not None and ending.outcome.name != "delivered":
            error = "status"
        self._ended.append(
            Try(
                flight, started_at, duration, request, answer, trace, error, detail,
                ending.outcome, ending.change or "",
            )
        )  # fmt: skip
        self._write_soon()

    # Writing.

    def _move(self, moved: Iterable[Moved[Flight]]) -> None:
        if moved:
            self._moved += moved
            self._write_soon()

    def _write_soon(self) -> None:
        """Collect what ended in this turn of the event loop, to be written as one."""
        if not self._write_is_due:
            self._write_is_due = True
            self._loop.call_soon(self._write)

    @_or_stop
    def _write(self) -> None:
        if self._consumer.in_doubt():
            # Whether a retry of ours would be a second one is soon known.
            self._loop.call_later(DOUBTFUL / 1e6, self._write)
            return
        self._write_is_due = False
        ended, self._ended = self._ended, []
        moved, self._moved = self._moved, []
        now = self._clock()
        self._ledger.write(ended, moved, now)
        endpoints = self._traffic.endpoints
        if endpoints.changed:
            changed, endpoints.changed = endpoints.changed, {}
            self._ledger.publish(changed, now)
            self._show_endpoints()

    def fail(self, error: BaseException) -> None:
        """Stop the process: nothing in hand may count as done."""
        self._consumer.fail(error)

    def _show_endpoints(self) -> None:
        for state, count in self._traffic.endpoints.states().items():
            metrics.ENDPOINTS.labels(state).set(count)

    def show(self) -> None:
        """Bring the gauges up to date. Called by the consumer's thread."""
        lanes = self._traffic.lanes
        metrics.IN_FLIGHT.set(sum(lanes.in_flight))
        metrics.WAITING.set(sum(lanes.waiting))
        metrics.DELAYED.set(len(self._traffic.delays))

    async def close(self) -> None:
        """End what still hangs. Its offsets stay incomplete, so it is sent again elsewhere."""
        if self._timer is not None:
            self._timer.cancel()
        self._closed = True
        await self._transport.close()


def _is_revoked(flight: Flight) -> bool:
    return flight.tracker.revoked

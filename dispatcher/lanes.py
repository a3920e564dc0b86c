"""Whose turn it is: a lane for each action, so that one slow endpoint holds up only its own.

Synchronous and without I/O: the shell asks `next`, sends, and reports `ended`. Times are
microseconds since 1970.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic

from dispatcher.lane import EARLY, LATE, Lane, Queue, T

PATIENCE = 1_000_000
"""What has waited longer is in a slow lane: the rest of its queue goes elsewhere."""
SWEEP = 250_000
"""Between sweeps. When one comes later than twice that, it was the process that stood still."""
BRISK = 500
"""So much may wait, however little was started of late."""
LATE_SHARE = 0.25
"""Of what may be in flight."""


class Lanes(Generic[T]):
    """First come, first served within an action and kind; actions take turns.

    A queue of a lane is in one of four states: *ready* (it stands in the turns of its kind),
    *full* (its lane's cap, its own share of it, or `may_start` forbids: it is looked at again when
    one of the lane ends), *throttled* (until its rate limit lets it), or *crowded out* (the process
    has little left, and the lane has its part of it: looked at again when one of its own ends, and
    in turn when any does). A lane with nothing waiting and nothing in flight is forgotten.
    """

    def __init__(
        self,
        cap: int,
        cap_per_action: int,
        may_start: Callable[[str, int], bool],
    ) -> None:
        """`may_start(key, now)`: whether an action's next may start; asked again when one ends or
        at `look_again`."""
        self._cap_per_action = cap_per_action
        self._may_start = may_start
        late = max(1, int(cap * LATE_SHARE))
        self.shares = (max(1, cap - late), late)
        self.in_flight = [0, 0]
        self.waiting = [0, 0]
        self._lanes: dict[str, Lane[T]] = {}
        self._turns: tuple[deque[Queue[T]], ...] = (deque(), deque())
        self._crowded_out: tuple[OrderedDict[Queue[T], None], ...] = (OrderedDict(), OrderedDict())
        self._throttled: list[tuple[int, str]] = []
        self._turn = 0
        self._swept_at: int | None = None
        self._stood_still = False
        self._started = 0
        self.brisk = BRISK
        """How many first tries are started within half of `PATIENCE`, by the latest sweeps; never
        less than `BRISK`."""
        self.waiting_in_slow = 0
        """First tries that waited in slow lanes at the latest sweep: there they may wait longer."""

    def offer(self, item: T, now: int, *, narrow: bool = False) -> bool:
        """Let an item wait for its turn. False when its lane is slow and has enough; `narrow` has
        any lane count as slow."""
        lane = self._lanes.get(item.key)
        if lane is None:
            lane = self._lanes[item.key] = Lane(item.key, now)
        # Retries of an action that was saved meanwhile do not bring its old limits back.
        if item.action_version >= lane.version:
            lane.version = item.action_version
            lane.cap = item.max_in_flight or self._cap_per_action
            if item.rate_limit != lane.rate:
                lane.limit(item.rate_limit, now)
                self._line_up_both(lane)
        queue = lane.queues[item.kind]
        if (lane.slow or narrow) and len(queue.items) >= self._kept(queue):
            return False
        item.offered_at = now
        queue.items.append(item)
        self.waiting[item.kind] += 1
        if not queue.queued:
            self._line_up(queue)
        return True

    def next(self, now: int) -> T | None:
        """The item to start now, counted as in flight; None when nothing may start."""
        throttled = self._throttled
        while throttled and throttled[0][0] <= now:
            lane = self._lanes.get(heapq.heappop(throttled)[1])
            if lane is not None and lane.throttled:
                lane.throttled = False
                self._line_up_both(lane)
        # Three early ones to one late one, while there are both.
        first = LATE if self._turn == 3 else EARLY
        item = self._next_of(first, now)
        if item is None:
            item = self._next_of(1 - first, now)
        if item is not None:
            self._turn = (self._turn + 1) & 3
        return item

    def _next_of(self, kind: int, now: int) -> T | None:
        turns, share = self._turns[kind], self.shares[kind]
        if not turns and self._crowded_out[kind] and self.in_flight[kind] * 2 < share:
            self._let_in(kind)
        while turns and self.in_flight[kind] < share:
            queue = turns.popleft()
            queue.queued = False
            lane = queue.lane
            if not queue.items or not self._has_slot(queue):
                continue
            if queue.in_flight >= self._cap(queue):
                queue.queued = True
                self._crowded_out[kind][queue] = None
                continue
            if not self._may_start(lane.key, now):
                continue
            if lane.rate is not None and (at := lane.take_token(now)):
                lane.throttled = True  # both its queues: they have one allowance
                heapq.heappush(self._throttled, (at, lane.key))
                continue
            item = queue.items.popleft()
            queue.flying[item] = now
            queue.in_flight += 1
            self.in_flight[kind] += 1
            self.waiting[kind] -= 1
            self._started += kind == EARLY
            self._line_up(queue)
            return item
        return None

    def ended(self, item: T) -> None:
        """One of the action's items is no longer in flight."""
        lane, kind = self._lanes[item.key], item.kind
        queue = lane.queues[kind]
        del queue.flying[item]
        queue.in_flight -= 1
        self.in_flight[kind] -= 1
        crowded = self._crowded_out[kind]
        if queue in crowded:  # it has less than it was refused for, which others may not have
            del crowded[queue]
            queue.queued = False
        self._line_up_both(lane)
        if crowded:
            self._let_in(kind, 1)
        self._forget(lane)

    def look_again(self, key: str) -> None:
        """What `may_start` says of the action may have changed."""
        if (lane := self._lanes.get(key)) is not None:
            self._line_up_both(lane)

    def next_wake(self) -> int | None:
        """When a rate limit next lets something start."""
        return self._throttled[0][0] if self._throttled else None

    def sweep(self, now: int) -> list[T]:
        """Take out, and return, what slow lanes have too much of; the first come stay.

        A lane is slow while its first has waited longer than `PATIENCE` and it is the lane that
        holds it up: by a try that takes as long, by its rate limit, or by how much waits in it.
        Else it is the process that is busy, and to send its work round would make it busier. Call
        it a few times within that time.
        """
        stood_still = self._has_stood_still(now)
        overflow: list[T] = []
        self.waiting_in_slow = 0
        for lane in list(self._lanes.values()):
            heads = [queue.items[0].offered_at for queue in lane.queues if queue.items]
            if not stood_still or not heads:
                lane.slow = (
                    bool(heads) and now - min(heads) > PATIENCE and self._is_at_fault(lane, now)
                )
            if lane.slow:
                for queue in lane.queues:
                    overflow += self._shorten(queue, self._kept(queue))
                self.waiting_in_slow += len(lane.queues[EARLY].items)
            elif lane.rate is not None and not lane.throttled and lane.is_rested(now):
                lane.rate = None
                self._forget(lane)
        return overflow

    def _is_at_fault(self, lane: Lane[T], now: int) -> bool:
        oldest = lane.oldest()
        return (
            (oldest is not None and now - oldest > PATIENCE)
            or lane.rate is not None
            or lane.waiting > self.brisk // 4
        )

    def _has_stood_still(self, now: int) -> bool:
        """Whether lanes had no chance since the last sweep; notes how fast they were, if not."""
        passed = SWEEP if self._swept_at is None else now - self._swept_at
        self._swept_at = now
        # Twice in a row it is how fast the process is, and its lanes are to be relieved.
        self._stood_still = passed > 2 * SWEEP and not self._stood_still
        if self._stood_still:
            self._started = 0
            return True
        if passed > 0:
            pace = int(self._started * PATIENCE / 2 / passed)
            self.brisk = max(BRISK, pace, (self.brisk + pace) // 2)
            self._started = 0
        return False

    def drain(self, key: str) -> list[T]:
        """Take out, and return, all that waits for an action."""
        lane = self._lanes.get(key)
        if lane is None:
            return []
        drained = [item for queue in lane.queues for item in self._shorten(queue, 0)]
        self._forget(lane)
        return drained

    def discard(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out of the queues, and return, all waiting items of which `unwanted` is true."""
        discarded: list[T] = []
        for lane in list(self._lanes.values()):
            for queue in lane.queues:
                gone = [item for item in queue.items if unwanted(item)]
                if gone:
                    queue.items = deque(item for item in queue.items if not unwanted(item))
                    self.waiting[queue.kind] -= len(gone)
                    discarded += gone
            self._forget(lane)
        return discarded

    def lanes(self) -> int:
        """How many actions something waits or is in flight for."""
        return len(self._lanes)

    def _shorten(self, queue: Queue[T], kept: int) -> list[T]:
        taken = [queue.items.pop() for _ in range(len(queue.items) - kept)]
        taken.reverse()
        self.waiting[queue.kind] -= len(taken)
        return taken

    def _cap(self, queue: Queue[T]) -> int:
        """How much of a lane may be in flight. Less when much of the process is in use: hundreds of
        endpoints that hang together leave room for the others."""
        return self._part(queue, self.in_flight[queue.kind])

    def _kept(self, queue: Queue[T]) -> int:
        """How much may wait in a slow lane. Less also when much waits: hundreds that wait for rate
        limits of their own leave room for others to be taken in."""
        return self._part(queue, max(self.in_flight[queue.kind], self.waiting[queue.kind]))

    def _part(self, queue: Queue[T], used: int) -> int:
        cap, share = queue.lane.cap, self.shares[queue.kind]
        if used * 2 < share:
            return cap
        return max(1, cap // 4) if used * 4 < share * 3 else 1

    def _has_slot(self, queue: Queue[T]) -> bool:
        lane = queue.lane
        if lane.in_flight >= lane.cap:
            return False
        # Of a lane's own cap, retries leave most to new calls.
        return queue.kind == EARLY or queue.in_flight < max(1, lane.cap // 4)

    def _line_up(self, queue: Queue[T]) -> None:
        if not queue.items or queue.queued or queue.lane.throttled or not self._has_slot(queue):
            return
        queue.queued = True
        self._turns[queue.kind].append(queue)

    def _line_up_both(self, lane: Lane[T]) -> None:
        for queue in lane.queues:
            self._line_up(queue)

    def _let_in(self, kind: int, count: int | None = None) -> None:
        """Look again at queues that were crowded out."""
        crowded = self._crowded_out[kind]
        for _ in range(len(crowded) if count is None else count):
            queue, _ = crowded.popitem(last=False)
            queue.queued = False
            self._line_up(queue)

    def _forget(self, lane: Lane[T]) -> None:
        # One with a rate limit is kept until `sweep` finds that it may use it in full again.
        if lane.waiting or lane.in_flight or lane.throttled or lane.rate is not None:
            return
        if self._lanes.pop(lane.key, None) is not None:
            lane.let_go()

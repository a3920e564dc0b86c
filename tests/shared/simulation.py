"""A world without I/O for the rules of delivery: topics, dispatchers, endpoints, and one clock.

`Traffic` and `OffsetTracker` are the real ones. Around them stand a log a partition, committed
offsets with their metadata, and a queue of events that the clock jumps along. Processes crash,
freeze and rebalance; whatever a process held in memory is then gone, and what it wrote stays.

Times are microseconds.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict

from dispatcher.breaker import Rules
from dispatcher.lane import EARLY, LATE
from dispatcher.schedule import HOLD, Schedule
from dispatcher.traffic import Passenger, Traffic
from streaming.consumer import BATCH
from streaming.offsets import MAX_METADATA, OffsetTracker

SECOND = 1_000_000
DELAYS = (("5s", 5.0), ("1m", 60.0), ("5m", 300.0))
DISPATCH = "dispatch"
TOPICS = (DISPATCH, *(name for name, _ in DELAYS))
COMMIT_EVERY = 250_000
REVOKE_DRAIN = 1 * SECOND
SESSION = 6 * SECOND
ACK = 2_000
"""How long the broker takes to acknowledge."""
SETTLE = 2 * ACK
"""How long a process that gives up partitions waits for that, at least."""
WEIGHT = 5_000
RULES = Rules(pause_after=3600.0)


class Dispatch:
    """A record on a topic."""

    __slots__ = ("attempt", "due_at", "key", "number", "put_off", "routed_at", "written_at")

    def __init__(self, number, key, attempt, due_at, routed_at, written_at, put_off=False):
        self.number, self.key, self.attempt = number, key, attempt
        self.due_at, self.routed_at, self.written_at = due_at, routed_at, written_at
        self.put_off = put_off


class Read(Passenger):
    """One read by a process: what `Traffic` knows of it."""

    def __init__(self, tracker, offset, dispatch, endpoint):
        delay = dict(DELAYS).get(tracker.topic)
        hold_until = 2**62 if delay is None else dispatch.written_at + int(HOLD * delay * 1e6)
        super().__init__(
            dispatch.key, dispatch.attempt, 1, dispatch.routed_at, dispatch.due_at, hold_until,
            endpoint.max_in_flight, endpoint.rate_limit, WEIGHT,
        )  # fmt: skip
        self.tracker, self.offset, self.dispatch = tracker, offset, dispatch

    @property
    def group(self):
        return self.tracker.topic, self.tracker.partition


class Endpoint:
    """How an action's server behaves: seconds until it answers, and what."""

    def __init__(self, dice, number):
        self.kind = dice.choices(
            ["healthy", "flaky", "outages", "hangs", "slow", "wrong", "gone", "busy", "limited"],
            [60, 10, 12, 3, 3, 3, 1, 4, 4],
        )[0]
        self.rate_limit = 20.0 if self.kind == "limited" else None
        self.max_in_flight = dice.choice([None, None, None, 1, 4])
        self.partition = number
        self.gone_at = dice.uniform(600, 3000) * SECOND
        start = dice.uniform(100, 2000)
        self.outages = [
            (int(at * SECOND), int((at + dice.choice([3, 30, 400])) * SECOND))
            for at in (start, start + 600, start + 2000)
        ]

    def answers(self, dice, now):
        """(seconds, status or None, error, seconds of Retry-After) of a try that starts now."""
        fast = dice.uniform(0.002, 0.05)
        if self.kind == "flaky" and dice.random() < 0.2:
            return fast, 503, "", 0.0
        if self.kind == "outages" and any(a <= now < b for a, b in self.outages):
            return (
                (15.0, None, "timeout", 0.0)
                if dice.random() < 0.3
                else (fast, None, "connect", 0.0)
            )
        if self.kind == "hangs":
            return 15.0, None, "timeout", 0.0
        if self.kind == "slow":
            return dice.uniform(1.0, 4.0), 200, "", 0.0
        if self.kind == "wrong":
            return fast, 404, "", 0.0
        if self.kind == "gone" and now >= self.gone_at:
            return fast, 410, "", 0.0
        if self.kind == "busy" and dice.random() < 0.05:
            return fast, 429, "", dice.choice([1.0, 30.0, 200.0])
        return (fast, 500, "", 0.0) if dice.random() < 0.001 else (fast, 200, "", 0.0)


class Process:
    """A dispatcher: one assignment after another."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.life = 0
        """Counts restarts: events of an earlier life mean nothing."""
        self.frozen_until = 0
        self.in_doubt = False
        """It has been frozen and not heard from the broker since."""
        self.alive = False
        self.boot()

    def boot(self):
        self.life += 1
        self.alive = True
        self.traffic = Traffic(
            self.world.schedule, RULES, self.world.cap, self.world.cap_per_action
        )
        self.partitions = set()
        self.trackers = {}
        self.positions = {}
        self.dirty = set()
        self.turn_is_due = False
        self.wake_at = None
        self.flying = {}
        self.written_on = set()
        """Whose retry, or whose end, the broker has not acknowledged."""
        self.in_lane = Counter()
        self.uncommitted = self.unacknowledged = 0
        self.started = {}

    # What the consumer loop does.

    def assign(self, partitions, now):
        gained = set(partitions) - self.partitions
        self.partitions = set(partitions)
        self.trackers, self.started = {}, {}
        world, endpoints = self.world, self.traffic.endpoints
        endpoints.drop(lambda key: world.partition(key) not in self.partitions)
        for key in world.keys:
            if world.partition(key) in gained:
                endpoints.restore(key, world.states.get(key), now)
                world.forget(self, key)
        for partition in partitions:
            for topic in TOPICS:
                place = topic, partition
                offset, metadata = self.world.committed[place]
                self.trackers[place] = OffsetTracker(*place, offset, metadata)
                self.positions[place] = offset
        self.turn_soon(now)

    def retire(self):
        """The partitions are about to go: what has not started is given back."""
        for tracker in self.trackers.values():
            tracker.revoked = True
        for item in self.traffic.discard(lambda one: one.tracker.revoked):
            item.tracker.abandon(1)

    def let_go(self):
        """What ends from now on, the next owner does anew."""
        for tracker in self.trackers.values():
            tracker.gone = True

    def leave(self):
        """They are gone."""
        self.let_go()
        self.retire()
        self.trackers = {}

    def turn_soon(self, now, delay=5_000):
        if not self.turn_is_due:
            self.turn_is_due = True
            self.world.at(now + delay, self, "turn")

    def turn(self, now):
        """Read a batch of what there is, as far as there is room."""
        self.turn_is_due = False
        if not self.traffic.has_room():
            self.turn_soon(now)
            return
        full, late_is_full = self.traffic.delays.full, self.traffic.late_is_full()
        items, more, closed = [], False, False
        for place, tracker in self.trackers.items():
            if tracker.revoked:
                return
            log, position = self.world.logs[place], self.positions[place]
            if position >= len(log):
                continue
            if place[0] != DISPATCH and (late_is_full or place in full):
                closed = True
                continue
            end = min(len(log), position + BATCH - len(items))
            for offset in range(position, end):
                if tracker.read(offset):
                    dispatch = log[offset]
                    items.append(
                        Read(tracker, offset, dispatch, self.world.endpoints[dispatch.key])
                    )
            self.positions[place] = end
            more = more or end < len(log)
        self.carry_out(self.traffic.arrive(items, now), now)
        self.start(now)
        if more or closed:
            self.turn_soon(now, 5_000 if more else 100_000)

    def commit(self, now):
        for place in self.dirty:
            tracker = self.trackers.get(place)
            if tracker is not None and (position := tracker.commit()) is not None:
                assert len(position[1]) <= MAX_METADATA
                self.world.longest_metadata = max(self.world.longest_metadata, len(position[1]))
                if not self.in_doubt:  # else the broker refuses it
                    self.world.committed[place] = position
        self.dirty.clear()
        self.uncommitted = 0

    # What `Delivery` does.

    def start(self, now):
        traffic, world = self.traffic, self.world
        if self.in_doubt:
            return
        while (item := traffic.next(now)) is not None:
            world.check_start(self, item, now)
            self.flying[item] = None
            self.in_lane[item.key] += 1
            seconds, status, error, wait = world.endpoints[item.key].answers(world.dice, now)
            world.at(now + int(seconds * SECOND), self, "end", (item, status, error, wait))
        at = traffic.next_wake()
        if at is not None and (self.wake_at is None or at < self.wake_at):
            self.wake_at = at
            world.at(max(at, now), self, "wake")

    def wake(self, now):
        if self.wake_at is None or now < self.wake_at:
            return  # a timer that an earlier one has replaced
        self.wake_at = None
        self.carry_out(self.traffic.wake(now), now)
        self.start(now)

    def end(self, result, now):
        item, status, error, wait = result
        del self.flying[item]
        self.in_lane[item.key] -= 1
        world = self.world
        world.tried(self, item, status, error, now, wait)
        ending = self.traffic.ended(item, status, error, "", now, wait)
        outcome, one = ending.outcome, item.dispatch
        if outcome.name not in ("retry", "dead"):
            self.acknowledge_later(item, now)
        elif self.is_here(item):
            if outcome.name == "retry":
                again = Dispatch(
                    one.number, one.key, one.attempt + 1, outcome.due_at, one.routed_at, now
                )
                world.write(outcome.delay, again, now)
            else:
                world.dead[one.number] = 1
            self.acknowledge_later(item, now)
        self.carry_out(ending.moved, now)
        self.publish(now)
        self.start(now)

    def carry_out(self, moved, now):
        for move in moved:
            one = move.item.dispatch
            self.world.moves[move.why] += 1
            if not self.is_here(move.item):
                continue
            if move.to is None:
                self.world.dead[one.number] = 1
            else:
                again = Dispatch(
                    one.number, one.key, one.attempt, move.to.due_at, one.routed_at, now, True
                )
                self.world.write(move.to.delay, again, now)
            self.acknowledge_later(move.item, now)
        self.publish(now)

    def is_here(self, item):
        """Whether what comes next of it is this one's to write."""
        if item.tracker.gone or self.in_doubt:  # what is written waits until it is known
            return False
        self.written_on.add(item)
        return True

    def acknowledge_later(self, item, now):
        self.unacknowledged += 1
        self.world.at(now + ACK, self, "ack", item)

    def ack(self, item, now):
        self.written_on.discard(item)
        tracker = item.tracker
        tracker.complete(item.offset, item.offset + 1)
        place = tracker.topic, tracker.partition
        self.unacknowledged -= 1
        self.uncommitted += 1
        if self.trackers.get(place) is tracker:
            self.dirty.add(place)
            self.world.commit_soon()

    def publish(self, now):
        endpoints = self.traffic.endpoints
        for key, (_, breaker) in endpoints.changed.items():
            self.world.changes[breaker.state] += 1
            if self.world.partition(key) in self.partitions and not self.in_doubt:
                self.world.states[key] = breaker.record("account", key, now)
        endpoints.changed.clear()

    def in_hand(self):
        """What a fault now may have done twice: in flight, unacknowledged, or not yet committed."""
        return len(self.flying) + self.unacknowledged + self.uncommitted


class World:
    """Everything, and what must always hold."""

    def __init__(self, seed, dispatches, *, actions=200, processes=3, partitions=6, rate=400.0):
        self.dice = random.Random(seed)
        self.count, self.partitions, self.rate = dispatches, partitions, rate
        self.cap, self.cap_per_action = 200, 16
        self.schedule = Schedule(DELAYS, self.dice.random)
        self.keys = [f"action-{n}" for n in range(actions)]
        self.endpoints = {
            key: Endpoint(self.dice, n % partitions) for n, key in enumerate(self.keys)
        }
        self.weights = [self.dice.choice([1, 1, 1, 5, 30]) for _ in self.keys]
        self.logs = defaultdict(list)
        self.committed = defaultdict(lambda: (0, ""))
        self.states = {}
        self.dead = bytearray(dispatches)
        self.delivered = bytearray(dispatches)
        self.allowed_twice = self.longest_metadata = 0
        self.moves, self.changes, self.faults, self.tries = (
            Counter(),
            Counter(),
            Counter(),
            Counter(),
        )
        self.steps = 0
        self.now = 0
        self._events, self._sequence = [], 0
        self._in_a_row = defaultdict(lambda: [0, 0])
        self.processes = [Process(self, f"p{n}") for n in range(processes)]
        self.owners = {}
        self._rebalancing = self._commit_is_due = False

    def partition(self, key):
        return self.endpoints[key].partition

    def at(self, time, process, what, given=None):
        self._sequence += 1
        life = process.life if process else 0
        heapq.heappush(self._events, (time, self._sequence, process, life, what, given))

    def write(self, topic, dispatch, now):
        partition = self.partition(dispatch.key)
        self.logs[topic, partition].append(dispatch)
        owner = self.owners.get(partition)
        if owner is not None and owner.alive:
            owner.turn_soon(now)

    # The story.

    def run(self, faults):
        """All dispatches are written while faults happen; then time goes on until all is quiet."""
        self._assign(0)
        self.at(0, None, "produce", 0)
        length = self.count / self.rate * SECOND
        for n in range(faults):
            self.at(int(length * (n + self.dice.random()) / faults), None, "fault")
        while self._events:
            self._step()

    def _step(self):
        self.now, _, process, life, what, given = heapq.heappop(self._events)
        self.steps += 1
        if process is None:
            getattr(self, f"_{what}")(*(() if given is None else (given,)))
            return
        if life != process.life or not process.alive:
            return
        if self.now < process.frozen_until:  # it happens when it wakes
            self.at(process.frozen_until, process, what, given)
            return
        getattr(process, what)(*((self.now,) if given is None else (given, self.now)))
        self.check(process)

    def _produce(self, number):
        """A burst of calls."""
        burst = min(self.dice.choice([1, 5, 20, 200]), self.count - number)
        for key in self.dice.choices(self.keys, self.weights, k=burst):
            self.write(DISPATCH, Dispatch(number, key, 1, None, self.now, self.now), self.now)
            number += 1
        if number < self.count:
            self.at(self.now + int(burst / self.rate * SECOND), None, "produce", number)

    def _commit(self):
        for process in self.processes:
            if process.alive and self.now >= process.frozen_until:
                process.commit(self.now)
        self._commit_is_due = False

    def commit_soon(self):
        """Processes commit together; nothing is gained by more events."""
        if not self._commit_is_due:
            self._commit_is_due = True
            self.at(self.now + COMMIT_EVERY, None, "commit")

    def _fault(self):
        if self._rebalancing:
            return
        process = self.dice.choice(self.processes)
        what = self.dice.choice(["crash", "crash", "freeze", "rebalance"])
        self.faults[what] += 1
        self._rebalancing = True
        if what == "crash":
            self.allowed_twice += process.in_hand()
            process.alive = False
            self.at(self.now + SESSION, None, "give_out")
            self.at(self.now + 3 * SECOND, None, "boot", process)
        elif what == "freeze":
            self.allowed_twice += process.in_hand()
            process.frozen_until = self.now + 3 * SESSION
            process.in_doubt = True
            self.at(self.now + SESSION, None, "take_away", process)
        else:
            for each in self.processes:
                each.retire()
            self.at(self.now + REVOKE_DRAIN, None, "let_go")

    def _let_go(self):
        """What has been written is in the last commit, and nothing more is."""
        for process in self.processes:
            process.let_go()
        self.at(self.now + SETTLE, None, "settled")

    def _settled(self):
        """What was written is acknowledged: nothing that is read again has a retry beside it."""
        assert not any(p.written_on for p in self.processes if p.alive)
        self._give_out()

    def _boot(self, process):
        process.boot()

    def _take_away(self, frozen):
        """The frozen one's session is over: the others get all. It knows nothing of it."""
        self._give_out(without=frozen)
        self.at(frozen.frozen_until + SECOND, None, "wake_up", frozen)

    def _wake_up(self, process):
        """It has polled, and learns that everything was lost; then it joins again."""
        process.leave()
        process.in_doubt = False
        self._give_out()

    def _give_out(self, without=None):
        for process in self.processes:
            if process is without or not process.alive:
                continue
            # What is still in flight here ends unheard, and is begun anew by the next owner.
            self.allowed_twice += process.in_hand()
            process.commit(self.now)
            process.leave()
        self._assign(self.now, without)
        self._rebalancing = without is not None

    def _assign(self, now, without=None):
        members = [p for p in self.processes if p.alive and p is not without]
        self.owners = {n: members[n % len(members)] for n in range(self.partitions)}
        for member in members:
            member.assign([n for n, owner in self.owners.items() if owner is member], now)

    # What must hold.

    def check(self, process):
        """After every step of a process."""
        lanes = process.traffic.lanes
        assert lanes.in_flight[EARLY] <= lanes.shares[EARLY]
        assert lanes.in_flight[LATE] <= lanes.shares[LATE]
        assert len(process.flying) == lanes.in_flight[EARLY] + lanes.in_flight[LATE]
        waiting = lanes.waiting[EARLY] + lanes.waiting[LATE]
        assert process.traffic.bytes == WEIGHT * (waiting + len(process.flying))

    def check_start(self, process, item, now):
        """Before a try is counted."""
        key, endpoint = item.key, self.endpoints[item.key]
        assert process.in_lane[key] < (endpoint.max_in_flight or self.cap_per_action), "cap"
        assert item.due_at is None or now >= item.due_at, "too early"
        failures, opened_at = self._in_a_row[process, process.life, key]
        assert failures < 5 or now >= opened_at + 5 * SECOND, "a try while open"
        breaker = process.traffic.endpoints.get(key)
        if breaker is not None and breaker.state == "open":
            assert breaker.probing, "not as a probe"
        assert breaker is None or breaker.state != "paused", "a try while paused"
        one = item.dispatch
        if one.attempt == 1 and not one.put_off:
            last = process.started.get(key, -1)
            assert one.number > last, "order of starts"
            process.started[key] = one.number

    def tried(self, process, item, status, error, now, wait):
        """Counts, apart from the breaker's own books, failures in a row."""
        name = "delivered" if status == 200 else error or str(status)
        self.tries[name] += 1
        if status == 200:
            number = item.dispatch.number
            self.delivered[number] = min(255, self.delivered[number] + 1)
        place = process, process.life, item.key
        breaker = process.traffic.endpoints.get(item.key)
        if breaker is not None and item.generation != breaker.generation:
            return
        failures = self._in_a_row[place]
        if error or status in (429, 500, 503):
            failures[0] += 1
            failures[1] = now
        else:
            failures[0] = 0

    def forget(self, process, key):
        """The count is another owner's from here on."""
        self._in_a_row.pop((process, process.life, key), None)

    def lost(self):
        """Numbers that were neither delivered nor kept."""
        return [n for n in range(self.count) if not (self.delivered[n] or self.dead[n])]

    def twice(self):
        """How many deliveries there were too many."""
        return sum(n - 1 for n in self.delivered if n > 1)

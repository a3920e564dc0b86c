"""Deadlines in coarse slots: never early, at most one slot late."""

import asyncio
import random
import time

from dispatcher.transport.deadlines import Deadlines, Wheel


class Thing:
    def __init__(self, due=0.0):
        self.due, self.over = due, 0

    def overdue(self):
        self.over += 1


def test_nothing_is_taken_early_and_all_within_one_slot():
    wheel, dice = Wheel(0.05), random.Random(3)
    things = [Thing(dice.uniform(1000, 1015)) for _ in range(2000)]
    for thing in things:
        wheel.add(thing.due, thing)
    now, taken = 1000.0, []
    while wheel:
        now += dice.uniform(0, 0.1)
        for thing in wheel.take(now):
            assert thing.due <= now
            taken.append(thing)
        late = [one for one in things if one.due <= now - 0.05]
        assert set(late) <= set(taken)
    assert len(taken) == 2000


def test_what_is_discarded_is_not_taken():
    wheel, thing = Wheel(), Thing()
    wheel.discard(wheel.add(5.0, thing), thing)
    assert wheel.take(100.0) == []


def test_discarding_what_was_taken_does_no_harm():
    wheel, thing = Wheel(), Thing()
    slot = wheel.add(5.0, thing)
    assert wheel.take(100.0) == [thing]
    wheel.discard(slot, thing)


async def test_on_a_loop_each_is_told_once_and_never_early():
    deadlines = Deadlines(asyncio.get_running_loop(), time.monotonic, width=0.01)
    told = asyncio.Event()

    class Timed(Thing):
        def overdue(self):
            super().overdue()
            self.at = time.monotonic()
            if self.due == last:
                told.set()

    start = time.monotonic()
    last = start + 0.06
    things = [Timed(start + n / 100) for n in range(6)] + [Timed(last)]
    for thing in things:
        deadlines.add(thing.due, thing)
    async with asyncio.timeout(5):
        await told.wait()
    assert all(thing.over == 1 and thing.at >= thing.due for thing in things)
    assert deadlines.close() == []


async def test_closing_returns_what_still_waits():
    deadlines, thing = Deadlines(asyncio.get_running_loop(), time.monotonic), Thing()
    deadlines.add(time.monotonic() + 60, thing)
    assert deadlines.close() == [thing]

"""Which connections are kept: rules without connections, and a clock that only moves when told."""

import random

import pytest

from dispatcher.transport.pool import Pool


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pool(clock):
    return Pool(clock, idle_limit=30, age_limit=300, kept=4, kept_per_origin=3)


def give(pool, origin, *connections):
    return [one for name in connections for one in pool.give(origin, name, 1000.0)]


def test_the_one_used_most_recently_is_taken_first(pool):
    give(pool, "a", "old", "new")
    assert [pool.take("a") for _ in range(3)] == ["new", "old", None]


def test_origins_share_nothing(pool):
    give(pool, "a", "one")
    assert pool.take("b") is None


def test_one_that_is_idle_for_too_long_is_not_taken_but_expired(pool, clock):
    give(pool, "a", "one")
    clock.now += 30
    assert (pool.take("a"), pool.expired(), len(pool)) == (None, ["one"], 0)


def test_only_those_are_expired_that_are_idle_for_too_long(pool, clock):
    give(pool, "a", "one")
    clock.now += 20
    give(pool, "b", "two")
    clock.now += 10
    assert (pool.expired(), pool.take("b")) == (["one"], "two")


def test_one_that_is_too_old_is_not_kept(pool, clock):
    clock.now += 300
    assert pool.give("a", "one", 1000.0) == ["one"]
    assert pool.take("a") is None


def test_an_origin_that_has_enough_loses_the_one_idle_the_longest(pool):
    assert give(pool, "a", "one", "two", "three", "four") == ["one"]
    assert pool.take("a") == "four"


def test_all_together_lose_the_one_idle_the_longest(pool):
    give(pool, "a", "one", "two")
    assert give(pool, "b", "three", "four", "five") == ["one"]
    assert len(pool) == 4


def test_the_one_idle_the_longest_makes_room(pool):
    give(pool, "a", "one")
    give(pool, "b", "two")
    assert [pool.oldest() for _ in range(3)] == ["one", "two", None]
    assert (pool.take("a"), len(pool)) == (None, 0)


def test_one_that_ended_by_itself_is_not_taken(pool):
    give(pool, "a", "one", "two")
    pool.forget("two")
    pool.forget("never there")
    assert [pool.take("a"), pool.take("a")] == ["one", None]


def test_clearing_hands_out_all(pool):
    give(pool, "a", "one")
    give(pool, "b", "two")
    assert (pool.clear(), len(pool), pool.take("a")) == (["one", "two"], 0, None)


def test_whatever_happens_each_connection_is_in_one_place_and_the_limits_hold(pool, clock):
    dice, made, out, closed = random.Random(5), 0, [], set()
    for _ in range(20_000):
        origin = dice.choice("abc")
        what = dice.random()
        if what < 0.4:
            if (taken := pool.take(origin)) is None:
                taken, made = (made, clock.now), made + 1
            assert taken not in closed
            out.append((origin, taken))
        elif what < 0.8 and out:
            origin, connection = out.pop(dice.randrange(len(out)))
            closed.update(pool.give(origin, connection, connection[1]))
        elif what < 0.85:
            closed.update(pool.expired())
        elif what < 0.9:
            if (oldest := pool.oldest()) is not None:
                closed.add(oldest)
        else:
            clock.now += dice.random() * 20
        assert len(pool) <= 4
        assert made == len(out) + len(pool) + len(closed)

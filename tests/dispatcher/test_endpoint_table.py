"""States of endpoints beside our dispatches, read from a real broker."""

import time

import pytest
from acknowledged import acknowledged

from dispatcher.breaker import Breaker, Rules
from dispatcher.endpoint_table import EndpointTable
from dispatcher.endpoints import Endpoints
from schemas.configuration import action_key
from streaming import topics as kafka_topics
from streaming.partitions import partition_of
from streaming.producer import Producer

CRM = action_key("acme", "crm")


@pytest.fixture
def settings(settings):
    few = {"calls_partitions": 1, "dispatcher_retry_schedule": ("1s",)}
    return settings.model_copy(update=few)


class Keeper:
    """Keeps the states as `Delivery` does, and what it was told."""

    def __init__(self, partitions):
        self.endpoints = Endpoints(Rules())
        self.told = []
        self._partitions = partitions

    def restore(self, states):
        self.told.append(states)
        for key, record in states.items():
            self.endpoints.restore(key, record, 0)

    def drop(self, partitions):
        self.endpoints.drop(lambda key: partition_of(key, self._partitions) in partitions)

    def state(self, key=CRM):
        breaker = self.endpoints.get(key)
        return None if breaker is None else breaker.state


class Town:
    """A topic of states, and tables that follow it."""

    def __init__(self, settings, codec):
        self.settings, self.codec = settings, codec
        self.topic = kafka_topics.ensure(settings).endpoints
        self._producer = Producer(settings, "test")
        self._tables = []

    def write(self, *states):
        """(key, state) pairs, or bytes as they are; None is a tombstone."""
        with acknowledged() as acks:
            for key, state in states:
                value = self._record(key, state) if isinstance(state, str) else state
                self._producer.send(self.topic, key, value, acks, partition=self.home(key))

    def home(self, key=CRM):
        return partition_of(key, self.settings.dispatch_partitions)

    def _record(self, key, state):
        account, _, action = key.partition("/")
        breaker = Breaker(Rules(), 0)
        breaker.state, breaker.probe_at = state, 3_600_000_000
        if state != "closed":
            breaker.failing_since = 0
        return self.codec.encode("Endpoint", breaker.record(account, action, 0), self.topic)

    def table(self, *partitions):
        keeper = Keeper(self.settings.dispatch_partitions)
        table = EndpointTable(self.settings, self.topic, self.codec, keeper)
        self._tables.append(table)
        table.follow(partitions or range(self.settings.dispatch_partitions))
        return table, keeper

    def load(self, table):
        deadline = time.monotonic() + 20
        while table.loading():
            assert time.monotonic() < deadline
            table.poll()

    def close(self):
        for table in self._tables:
            table.close()
        self._producer.close(1)


@pytest.fixture
def town(settings, codec):
    one = Town(settings, codec)
    yield one
    one.close()


def test_what_an_earlier_owner_wrote_is_taken_over(town):
    town.write((CRM, "paused"))
    table, keeper = town.table()
    assert set(table.loading()) == {town.home()}
    town.load(table)
    assert keeper.state() == "paused"


def test_nothing_has_to_be_waited_for_where_nothing_was_written(town):
    table, _ = town.table()
    assert not table.loading()


def test_the_newest_state_counts(town):
    town.write((CRM, "open"), (CRM, "paused"), (CRM, "open"))
    table, keeper = town.table()
    town.load(table)
    assert keeper.state() == "open"


@pytest.mark.parametrize("last", ["closed", None])
def test_one_that_is_well_again_or_deleted_is_not_kept(town, last):
    town.write((CRM, "paused"), (CRM, last))
    table, keeper = town.table()
    town.load(table)
    assert len(keeper.endpoints) == 0


def test_what_is_written_later_is_our_own_and_not_read_back(town):
    """Else a record on its way would undo what has happened since."""
    town.write((CRM, "paused"))
    table, keeper = town.table()
    town.load(table)
    other = next(k for k in map("acme/a{}".format, range(99)) if town.home(k) == town.home())
    town.write((CRM, "open"), (other, "open"))
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        table.poll()
    assert (keeper.state(), len(keeper.told)) == ("paused", 1)


def test_other_partitions_are_not_read(town):
    away = next(k for k in map("acme/a{}".format, range(99)) if town.home(k) != town.home())
    town.write((CRM, "open"), (away, "open"))
    table, keeper = town.table(town.home())
    town.load(table)
    assert (keeper.state(), keeper.state(away)) == ("open", None)


def test_a_partition_that_goes_takes_its_states_along(town):
    town.write((CRM, "paused"))
    table, keeper = town.table()
    town.load(table)
    table.follow([n for n in range(town.settings.dispatch_partitions) if n != town.home()])
    assert len(keeper.endpoints) == 0


def test_a_partition_that_comes_back_is_read_anew_with_what_others_wrote_meanwhile(town):
    town.write((CRM, "open"))
    table, keeper = town.table()
    town.load(table)
    table.follow(())
    town.write((CRM, "paused"))
    table.follow([town.home()])
    assert set(table.loading()) == {town.home()}
    town.load(table)
    assert keeper.state() == "paused"


def test_one_lost_and_regained_before_it_was_ever_loaded_is_read_once_and_whole(town):
    town.write((CRM, "open"))
    table, keeper = town.table()
    for _ in range(5):
        table.follow(())
        table.follow([town.home()])
    town.load(table)
    assert keeper.state() == "open"


def test_a_partition_that_stays_is_not_read_again_when_others_come(town):
    town.write((CRM, "open"))
    table, keeper = town.table(town.home())
    town.load(table)
    keeper.told.clear()
    table.follow(range(town.settings.dispatch_partitions))
    town.load(table)
    assert (keeper.state(), keeper.told) == ("open", [])


GARBAGE = [(CRM, b"{}"), (CRM, b"\xc3\x01" + b"\x00" * 20), (b"\xff\xfe", b""), (b"", None)]


def test_what_cannot_be_read_keeps_nobody_from_the_rest(town, caplog):
    home = town.home()
    town.write((CRM, "paused"))
    for key, value in GARBAGE:
        town.write((CRM, value)) if key == CRM else _raw(town, key, value, home)
    table, keeper = town.table()
    town.load(table)
    assert keeper.state() == "paused"
    assert "cannot be read" in caplog.text


def _raw(town, key, value, partition):
    with acknowledged() as acks:
        town._producer.send(town.topic, key, value, acks, partition=partition)

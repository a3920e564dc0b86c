"""The consumer loop on a real broker, with a stage that only remembers."""

import time

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streaming import consumer as consumer_module
from streaming import metrics
from streaming.offsets import decode_holes


def numbered(count, start=0):
    return [(b"k", b"%d" % n) for n in range(start, start + count)]


def test_every_record_is_given_to_the_stage_once_and_in_order(running, topics, write):
    write(topics.calls, *numbered(2000), partition=1)
    one = running()
    one.stage.until_taken(2000)
    assert one.stage.values() == [b"%d" % n for n in range(2000)]


def test_records_come_in_batches(running, topics, write):
    write(topics.calls, *numbered(2000), partition=1)
    one = running()
    one.stage.until_taken(2000)
    assert one.stage.batches < 200


def test_what_is_done_is_committed(running, topics, write, committed):
    write(topics.calls, *numbered(10), partition=0)
    one = running()
    one.stage.until_taken(10)
    one.stop()
    assert committed(0) == (10, "")


def test_a_record_is_committed_while_the_loop_runs(running, topics, write, committed):
    write(topics.calls, *numbered(10), partition=0)
    one = running()
    one.stage.until(lambda: committed(0) == (10, ""))


def test_a_partition_without_records_is_not_committed(running, topics, write, committed):
    write(topics.calls, *numbered(1), partition=0)
    one = running()
    one.stage.until_taken(1)
    one.stop()
    assert committed(1)[0] < 0


def test_the_next_member_begins_where_the_last_one_ended(running, topics, write):
    write(topics.calls, *numbered(10), partition=0)
    first = running()
    first.stage.until_taken(10)
    first.stop()
    write(topics.calls, (b"k", b"new"), partition=0)
    second = running()
    second.stage.until_taken(1)
    assert second.stage.values() == [b"new"]


def test_holes_are_committed_and_not_done_again(running, topics, write, committed):
    write(topics.calls, *numbered(10), partition=0)
    first = running(holding=True)
    first.stage.until_taken(10)
    first.loop.complete([run for run in first.stage.held if run[1] in (3, 4, 8)])
    first.stage.until(lambda: committed(0)[1] != "")
    offset, metadata = committed(0)
    assert (offset, decode_holes(metadata, 0)) == (0, [(3, 5), (8, 9)])
    first.loop.fail(RuntimeError("crash"))
    first.join()
    second = running()
    second.stage.until_taken(7)
    assert second.stage.values() == [b"%d" % n for n in (0, 1, 2, 5, 6, 7, 9)]


def test_a_failure_ends_the_loop_and_commits_nothing_of_what_failed(
    running, topics, write, committed
):
    write(topics.calls, *numbered(10), partition=0)
    one = running(holding=True)
    one.stage.until_taken(10)
    one.loop.complete(one.stage.held[:4])
    one.loop.fail(RuntimeError("refused"))
    one.join()
    assert (str(one.error), committed(0)[0] <= 4) == ("refused", True)


def test_the_first_failure_is_the_one_that_is_told(running, topics):
    one = running()
    one.loop.fail(RuntimeError("first"))
    one.loop.fail(RuntimeError("second"))
    one.join()
    assert str(one.error) == "first"


def test_a_stage_that_raises_ends_the_loop_and_completes_nothing(running, topics, write, committed):
    write(topics.calls, *numbered(3), partition=0)
    one = running(take=lambda batch: 1 / 0)
    one.join()
    assert (type(one.error), committed(0)[0] <= 0) == (ZeroDivisionError, True)


def test_stopping_waits_for_what_is_in_hand_and_commits_it(
    running, settings, topics, write, committed
):
    write(topics.calls, *numbered(3), partition=0)
    one = running(settings.model_copy(update={"stop_deadline": 20}), holding=True)
    one.stage.until_taken(3)
    one.loop.stop()
    one.stage.until(lambda: one.stage.lost)
    one.loop.complete(one.stage.held)
    one.join()
    assert (one.error, committed(0)) == (None, (3, ""))


def test_while_it_waits_for_what_is_in_hand_its_partitions_are_not_in_doubt(
    running, settings, topics, write
):
    """Else nothing that ends meanwhile would be written, and it would wait in vain."""
    write(topics.calls, *numbered(3), partition=0)
    one = running(settings.model_copy(update={"stop_deadline": 20}), holding=True)
    one.stage.until_taken(3)
    one.loop._doubt_after = 0.5
    one.loop.stop()
    one.stage.until(lambda: one.stage.lost)
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        assert not one.loop.in_doubt()
    one.loop.complete(one.stage.held)
    one.join()


def test_a_loop_that_stood_still_goes_on_when_the_broker_says_that_nothing_was_lost(
    running, topics, write, committed
):
    write(topics.calls, *numbered(3), partition=0)
    one = running()
    one.stage.until_taken(3)
    one.loop._turned_at -= 60
    one.stage.until(lambda: not one.loop.in_doubt())
    write(topics.calls, (b"k", b"more"), partition=0)
    one.stage.until_taken(4)
    one.stop()
    assert (one.error, committed(0)) == (None, (4, ""))


def test_a_loop_that_stood_still_gives_up_what_the_broker_says_is_not_its_own(
    running, topics, write, monkeypatch
):
    write(topics.calls, *numbered(3), partition=0)
    one = running(holding=True)
    one.stage.until_taken(3)
    refused = KafkaException(KafkaError(KafkaError.UNKNOWN_MEMBER_ID))
    monkeypatch.setattr(one.loop, "_clients", Refusing(one.loop._clients, refused))
    one.loop._turned_at -= 60
    one.stage.until(lambda: one.stage.lost)
    assert all(tracker.gone for tracker in one.stage.lost)


def test_while_the_broker_does_not_say_whose_they_are_its_partitions_stay_in_doubt(
    running, topics, write, monkeypatch
):
    """Asked again and again; its coordinator may have moved while the process stood still."""
    write(topics.calls, *numbered(3), partition=0)
    one = running(holding=True)
    one.stage.until_taken(3)
    clients = one.loop._clients
    unclear = Refusing(clients, KafkaException(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE)))
    monkeypatch.setattr(one.loop, "_clients", unclear)
    one.loop._turned_at -= 60
    one.stage.until(lambda: unclear.asked > 3)
    assert (one.loop.in_doubt(), one.stage.lost) == (True, [])
    monkeypatch.setattr(one.loop, "_clients", clients)
    one.stage.until(lambda: not one.loop.in_doubt())


class Refusing:
    """Clients whose commits the broker refuses."""

    def __init__(self, clients, error):
        self._clients, self._error, self.asked = clients, error, 0

    def __getattr__(self, name):
        return getattr(self._clients, name)

    def commit(self, *, asynchronous, **_):
        self.asked += not asynchronous
        raise self._error


def test_stopping_tells_the_stage_to_start_nothing_more(running, topics, write):
    write(topics.calls, *numbered(3), partition=0)
    one = running(holding=True)
    one.stage.until_taken(3)
    one.loop.stop()
    one.stage.until(lambda: one.stage.lost)
    assert all(tracker.revoked for tracker in one.stage.lost)
    for tracker, _, _ in one.stage.held:
        one.loop.abandon(tracker, 1)
    one.join()


def test_stopping_does_not_wait_for_ever(running, settings, topics, write, committed):
    write(topics.calls, *numbered(3), partition=0)
    one = running(settings.model_copy(update={"stop_deadline": 0.1}), holding=True)
    one.stage.until_taken(3)
    one.stop()
    assert (one.error, committed(0)[0] <= 0) == (None, True)


def test_a_closed_partition_delivers_nothing_even_right_after_assignment(running, topics, write):
    for partition in range(3):
        write(topics.calls, *numbered(50), partition=partition)
    one = running(shut={(topics.calls, 1)})
    one.stage.until_taken(100)
    assert {partition for partition, _, _ in one.stage.taken} == {0, 2}
    one.stage.shut = set()
    one.stage.until_taken(150)
    assert [value for p, _, value in one.stage.taken if p == 1] == [b"%d" % n for n in range(50)]


def test_a_partition_that_closes_again_keeps_what_was_not_read(running, topics, write):
    one = running()
    one.stage.until(lambda: one.stage.assignments)
    one.stage.shut = {(topics.calls, 0)}
    write(topics.calls, *numbered(5), partition=1)
    one.stage.until_taken(5)
    write(topics.calls, *numbered(5, 5), partition=0)
    write(topics.calls, *numbered(5, 5), partition=1)
    one.stage.until_taken(10)
    assert {partition for partition, _, _ in one.stage.taken} == {1}
    one.stage.shut = set()
    one.stage.until_taken(15)


def test_a_full_stage_is_given_nothing_and_everything_once_it_has_room(
    running, topics, write, monkeypatch
):
    monkeypatch.setattr(consumer_module, "PATIENCE", 0.02)
    before = metrics.PAUSED._value.get()
    one = running(room=False)
    write(topics.calls, *numbered(2000), partition=0)
    one.stage.until(lambda: metrics.PAUSED._value.get() > before + 5)
    assert one.stage.taken == []
    one.stage.room = True
    one.stage.until_taken(2000)
    assert one.stage.values() == [b"%d" % n for n in range(2000)]


def test_a_second_member_takes_over_some_partitions(running, topics, write):
    first = running()
    first.stage.until(lambda: first.stage.assignments)
    second = running()
    second.stage.until(lambda: second.stage.assignments)
    first.stage.until(lambda: len(first.stage.assignments) > 1)
    shared = first.stage.assignments[-1] + second.stage.assignments[-1]
    assert sorted(shared) == [(topics.calls, n) for n in range(3)]


@pytest.fixture
def held_by_one(running, settings, topics, write):
    """`held_by_one()`: a member that was given four records of each of three partitions, and has
    done none of them."""

    def start(**own_settings):
        for partition in range(3):
            write(topics.calls, *numbered(4), partition=partition)
        first = running(settings.model_copy(update=own_settings), holding=True)
        first.stage.until_taken(12)
        return first

    return start


def test_late_completions_of_what_was_taken_away_change_nothing(running, held_by_one, committed):
    first = held_by_one()
    late = list(first.stage.held)
    second = running(holding=True)
    second.stage.until(lambda: second.stage.taken)
    first.stage.until(lambda: len(first.stage.taken) + len(second.stage.taken) == 24)
    first.loop.complete(late)
    mine = second.stage.taken[0][0]
    done = [run for run in second.stage.held if run[0].partition == mine][:2]
    second.loop.complete(done)
    second.stage.until(lambda: committed(mine)[0] > 0)
    assert committed(mine) == (2, "")
    assert all(tracker.revoked for tracker, _, _ in late)


def test_what_is_completed_while_partitions_are_taken_away_is_not_done_again(
    running, held_by_one, topics, write, monkeypatch
):
    monkeypatch.setattr(consumer_module, "REVOKE_DRAIN", 5.0)
    # Stopped in the middle of that, a loop must not be ended by its watchdog, and the test with it.
    first = held_by_one(stop_deadline=3.0)
    second = running()
    first.stage.until(lambda: first.stage.lost)
    first.loop.complete(first.stage.held)
    second.stage.until(lambda: second.stage.assignments)
    write(topics.calls, *numbered(1, 9), partition=second.stage.assignments[-1][0][1])
    second.stage.until_taken(1)
    assert (len(first.stage.taken), second.stage.values()) == (12, [b"9"])


def test_what_was_written_before_partitions_were_gone_is_waited_for_and_committed(
    running, held_by_one, topics, write, monkeypatch
):
    """A retry is with the broker, its answer is not here: without it the record is done again."""
    monkeypatch.setattr(consumer_module, "SETTLE", 5.0)
    first = held_by_one(stop_deadline=3.0)
    first.stage.answered = False
    second = running()
    first.stage.until(lambda: first.stage.lost)
    first.stage.until(lambda: all(tracker.gone for tracker in first.stage.lost))
    first.loop.complete(first.stage.held[:6])
    first.stage.answered = True
    second.stage.until(lambda: second.stage.assignments)
    for partition in range(3):
        write(topics.calls, (b"k", b"last"), partition=partition)

    def values():
        return first.stage.values() + second.stage.values()

    second.stage.until(lambda: values().count(b"last") == 3)
    assert len(values()) == 12 + 6 + 3


@pytest.mark.parametrize("metadata", ["nonsense", "h1:0:!!!", "h9:0:AQE", "h1:7:AQE"])
def test_metadata_that_is_not_ours_is_ignored(running, topics, settings, write, metadata):
    write(topics.calls, *numbered(4), partition=0)
    other = Consumer({**settings.kafka, "group.id": settings.topic_prefix + "group"})
    position = TopicPartition(topics.calls, 0, 1, metadata=metadata)
    other.commit(offsets=[position], asynchronous=False)
    other.close()
    one = running()
    one.stage.until_taken(3)
    assert one.stage.values() == [b"1", b"2", b"3"]

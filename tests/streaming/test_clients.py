"""Topics that can wait are fetched by a client of their own, and are the group's all the same."""

import pytest

RECORDS = [(b"k", b"%d" % n) for n in range(20)]
VALUES = [value for _, value in RECORDS]


@pytest.fixture
def settings(settings):
    """Enough partitions for two members."""
    return settings.model_copy(update={"dispatch_partitions": 2})


@pytest.fixture
def later(topics):
    """A topic that can wait."""
    return topics.retry("1s")


def test_what_can_wait_comes_too_and_is_committed(running, topics, write, committed, later):
    write(later, *RECORDS, partition=1)
    write(topics.calls, (b"k", b"now"), partition=1)
    one = running(waiting=[later])
    one.stage.until_taken(21)
    assert sorted(one.stage.values()) == sorted([b"now", *VALUES])
    one.stop()
    assert one.error is None
    assert (committed(1), committed(1, later)) == ((1, ""), (20, ""))


def test_the_next_member_does_of_what_can_wait_only_what_is_left(running, write, later):
    write(later, *RECORDS, partition=0)
    first = running(waiting=[later], holding=True)
    first.stage.until_taken(20)
    first.loop.complete([run for run in first.stage.held if run[1] in (0, 1, 2, 7)])
    first.stop()
    second = running(waiting=[later])
    second.stage.until_taken(16)
    assert second.stage.values() == [
        value for n, value in enumerate(VALUES) if n not in (0, 1, 2, 7)
    ]


def test_a_closed_partition_of_what_can_wait_keeps_silent_until_it_is_opened(
    running, topics, write, later
):
    write(later, *RECORDS, partition=0)
    write(topics.calls, (b"k", b"first"), partition=0)
    one = running(waiting=[later], shut={(later, 0)})
    one.stage.until_taken(1)
    write(topics.calls, (b"k", b"second"), partition=0)
    one.stage.until_taken(2)
    assert one.stage.values() == [b"first", b"second"]
    one.stage.shut = set()
    one.stage.until_taken(22)
    assert one.stage.values()[2:] == VALUES


def test_members_share_what_can_wait_as_they_share_the_rest(running, write, later):
    first = running(waiting=[later])
    first.stage.until(lambda: first.stage.assignments)
    second = running(waiting=[later])
    second.stage.until(lambda: second.stage.assignments)
    first.stage.until(lambda: len(first.stage.assignments) == 2)
    theirs = [set(one.stage.assignments[-1]) for one in (first, second)]
    assert all(later in dict(its) for its in theirs)
    for partition in range(2):
        write(later, *RECORDS, partition=partition)
    for one in (first, second):
        one.stage.until_taken(20)
    for one, its in ((first, theirs[0]), (second, theirs[1])):
        assert {(later, partition) for partition, _, _ in one.stage.taken} <= its

"""The audit sees what went wrong, or no chaos would."""

import pytest
from audit import arrivals, judge
from ordeal import GivenUp, Ordeal


@pytest.fixture
def log(tmp_path):
    """`log((at, path, id), …)`: what the sink would have written, and a line that is cut off."""

    def write(*requests):
        file = tmp_path / "sink.log"
        lines = [f"{int(at * 1e9)} {path} {webhook_id}\n" for at, path, webhook_id in requests]
        file.write_text("".join(lines) + "17953942")
        return file

    return write


ONE, TWO = "/one?sid=x1-0", "/two?sid=x1-0"


def test_a_request_that_never_came_is_missing(log):
    verdict = judge(arrivals(log((5, ONE, "a"))), {ONE: 4.0, TWO: 4.0}, over=4.5)
    assert verdict.missing == {TWO}


def test_a_request_that_nobody_asked_for_is_seen(log):
    verdict = judge(arrivals(log((5, ONE, "a"), (5, TWO, "b"))), {ONE: 4.0}, over=4.5)
    assert verdict.unexpected == {TWO}


def test_repeats_are_counted_and_an_id_that_changes_is_seen(log):
    verdict = judge(arrivals(log((5, ONE, "a"), (6, ONE, "b"))), {ONE: 4.0}, over=4.5)
    assert (verdict.duplicates, verdict.ids_per_pair) == (1, 2)


def test_recovery_counts_from_the_end_of_the_fault_and_by_first_arrivals(log):
    found = arrivals(log((3, ONE, "a"), (6, ONE, "a"), (7, TWO, "b")))
    verdict = judge(found, {ONE: 2.0, TWO: 4.0}, over=5)
    assert (verdict.first, verdict.all, verdict.slowest) == (2.0, 2.0, 3.0)


def test_only_calls_of_the_tag_are_looked_at(log):
    file = log((3, "/one?sid=x1-0", "a"), (3, "/one?sid=x11-0", "b"), (4, "/two?sid=x1-0", "c"))
    assert [one.path for one in arrivals(file, "x1-")] == ["/one?sid=x1-0", "/two?sid=x1-0"]


@pytest.fixture
def ordeal(log):
    """A fault from 10 to 20, with arrivals at 9.9, 14, 20.1 and 30."""
    found = arrivals(log((9.9, ONE, "a"), (14, TWO, "b"), (20.1, ONE, "a"), (30, TWO, "b")))
    ordeal = Ordeal(lambda: found)
    ordeal.at, ordeal.over = 10, 20
    return ordeal


def test_nothing_may_be_repeated_where_partitions_stayed(ordeal):
    ordeal.unfinished = 5
    assert (ordeal.after(), ordeal.after_an_outage()) == (0, 0)


def test_who_is_asked_repeats_what_it_had_begun(ordeal):
    ordeal.given_up = [GivenUp("router-1", 15, 7, committed=10, asked=True)]
    assert ordeal.after() == 7


def test_who_lost_its_session_repeats_what_it_had_finished_besides(ordeal):
    ordeal.given_up = [GivenUp("router-1", 15, 7, committed=10)]
    assert ordeal.after() == 7 + 1


def test_who_was_killed_repeats_what_it_had_finished_in_the_interval_between_commits(ordeal):
    assert ordeal.after(GivenUp("router-1", 10, 7, committed=9.75)) == 7 + 1


def test_who_was_frozen_finished_nothing_until_it_was_woken(ordeal):
    ordeal.given_up = [GivenUp("router-1", 20, 3, committed=15)]
    assert ordeal.after(GivenUp("router-1", 10, 7, committed=9.75)) == (7 + 1) + (3 + 1)


def test_after_an_outage_all_that_had_been_begun_may_be_repeated(ordeal):
    ordeal.unfinished, ordeal.retried = 5, 2
    ordeal.given_up = [GivenUp("router-1", 15, 7, 10), GivenUp("router-2", 21, 4, 17, asked=True)]
    assert ordeal.after_an_outage() == 2 + 5 + 4

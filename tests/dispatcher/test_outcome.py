"""What comes of a try, as a table."""

import pytest

from dispatcher.outcome import DEAD, DELIVERED, SKIPPED, outcome
from dispatcher.schedule import Schedule

SCHEDULE = Schedule((("5s", 5.0), ("1m", 60.0)), dice=lambda: 0.0)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("attempt", [1, 99])
def test_a_2xx_is_delivered(status, attempt):
    assert outcome(status, "", attempt, SCHEDULE, 0) == DELIVERED


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599, 999])
def test_a_status_that_may_pass_is_tried_again(status):
    assert outcome(status, "", 1, SCHEDULE, 0).name == "retry"


@pytest.mark.parametrize(
    "status", [100, 101, 199, 300, 301, 302, 304, 307, 400, 401, 404, 410, 499]
)
def test_any_other_status_ends_the_dispatch(status):
    assert outcome(status, "", 1, SCHEDULE, 0) == DEAD


@pytest.mark.parametrize("error", ["dns", "connect", "tls", "timeout", "closed", "protocol"])
def test_trouble_with_the_network_is_tried_again(error):
    assert outcome(None, error, 1, SCHEDULE, 0).name == "retry"


@pytest.mark.parametrize("error", ["blocked", "url_too_long", "unrenderable", "unsupported"])
def test_what_cannot_pass_ends_the_dispatch(error):
    assert outcome(None, error, 1, SCHEDULE, 0) == DEAD


@pytest.mark.parametrize("error", ["no_client_id", "too_old"])
@pytest.mark.parametrize("attempt", [1, 99])
def test_what_google_analytics_has_no_use_for_is_skipped(error, attempt):
    assert outcome(None, error, attempt, SCHEDULE, 0) == SKIPPED


@pytest.mark.parametrize(
    ("attempt", "delay", "due_at"), [(1, "5s", 5_000_007), (2, "1m", 60_000_007)]
)
def test_each_attempt_has_its_delay(attempt, delay, due_at):
    one = outcome(None, "dns", attempt, SCHEDULE, 7)
    assert (one.delay, one.due_at) == (delay, due_at)


@pytest.mark.parametrize("attempt", [3, 4, 2**62])
def test_after_the_last_delay_a_dispatch_is_dead(attempt):
    assert outcome(500, "", attempt, SCHEDULE, 0) == DEAD


@pytest.mark.parametrize("attempt", [0, -1, -(2**62)])
def test_an_attempt_number_that_nobody_wrote_counts_as_the_first(attempt):
    assert outcome(500, "", attempt, SCHEDULE, 0).delay == "5s"


def test_without_a_schedule_nothing_is_tried_again():
    assert outcome(500, "", 1, Schedule(()), 0) == DEAD

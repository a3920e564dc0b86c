"""What comes of a try, as a table."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.outcome import DEAD, DELIVERED, SKIPPED, Error, fault, outcome, retry_after
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


# Whose a failure is.


@pytest.mark.parametrize(
    ("error", "whose"),
    [
        ("", ""), ("no_client_id", ""), ("too_old", ""),
        ("unrenderable", "ours"), ("unsupported", "ours"), ("sealed", "ours"),
        ("dns", "customer"), ("connect", "customer"), ("tls", "customer"), ("timeout", "customer"),
        ("closed", "customer"), ("blocked", "customer"), ("protocol", "customer"),
        ("status", "customer"), ("url_too_long", "customer"), ("too_large", "customer"),
        ("paused", "customer"),
    ],
)  # fmt: skip
def test_a_failure_is_the_customers_or_ours_or_nobodys(error, whose):
    assert fault(error) == whose


ENDS = {
    "dns": "retry", "connect": "retry", "tls": "retry", "timeout": "retry", "closed": "retry",
    "protocol": "retry", "sealed": "retry", "blocked": "dead", "url_too_long": "dead",
    "too_large": "dead", "unrenderable": "dead", "unsupported": "dead", "no_client_id": "skipped",
    "too_old": "skipped",
}  # fmt: skip
"""What comes of a try that had no answer, by its class."""
NEVER_BY_ITSELF = {"", "status", "paused"}
"""Of a success, of an answer, and of what was not tried."""


def test_every_class_of_the_closed_list_has_a_defined_end():
    assert set(get_args(Error)) == ENDS.keys() | NEVER_BY_ITSELF


@pytest.mark.parametrize(("error", "name"), ENDS.items())
def test_each_class_ends_as_it_should(error, name):
    assert outcome(None, error, 1, SCHEDULE, 0).name == name


# Retry-After. Now is Thursday, 19 November 2026, 10:00:00 UTC.

NOW = 1_795_082_400 * 1_000_000
DAY = 86_400.0


def asked(value, name="Retry-After"):
    return retry_after({"Content-Type": "text/plain", name: value}, NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0), ("1", 1.0), ("120", 120.0), (" 120 ", 120.0), ("86400", DAY), ("86401", DAY),
        ("999999999", DAY), ("9" * 5000, DAY), ("0000000000005", 5.0), ("0" * 5000, 0.0),
    ],
)  # fmt: skip
def test_seconds_are_waited_up_to_a_day(value, seconds):
    assert asked(value) == seconds


@pytest.mark.parametrize("name", ["retry-after", "Retry-After", "RETRY-AFTER"])
def test_the_name_is_the_same_however_it_is_written(name):
    assert asked("7", name) == 7.0


@pytest.mark.parametrize(
    "date",
    [
        "Thu, 19 Nov 2026 10:00:30 GMT",
        "Thursday, 19-Nov-26 10:00:30 GMT",
        "Thu Nov 19 10:00:30 2026",
        "Thu, 19 Nov 2026 11:00:30 +0100",
        "Thu, 19 Nov 2026 10:00:30 -0000",
    ],
)
def test_a_date_is_understood_in_each_of_its_formats(date):
    assert asked(date) == 30.0


def test_a_date_of_more_than_a_day_ahead_is_a_day():
    assert asked("Fri, 19 Nov 2027 10:00:30 GMT") == DAY


@pytest.mark.parametrize("date", ["Thu, 19 Nov 2026 09:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_date_that_has_passed_asks_for_nothing(date):
    assert asked(date) == 0.0


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "-5", "+5", "1.5", "1e3", "0x10", "5, 6", "soon", "NaN", "inf", "٣", "²", "\uff15",
        "Thu, 99 Nov 2026 10:00:30 GMT", "Thu, 19 Nov 99999 10:00:30 GMT",
        "Thu, 19 Nov 2026 25:61:61 GMT", "Thu, 19 Nov 2026 10:00:30 +9999", "19 Nov", ",", "\x00",
        "Thu, 19 Nov 0000 10:00:30 GMT",
    ],
)  # fmt: skip
def test_what_cannot_be_understood_asks_for_nothing(value):
    assert asked(value) == 0.0


def test_an_answer_without_it_asks_for_nothing():
    assert retry_after({}, NOW) == 0.0


WORDS = st.sampled_from(
    [
        "Thu,",
        "19",
        "Nov",
        "2026",
        "10:00:30",
        "GMT",
        "-",
        "+0100",
        "99999999999999",
        "Nov-",
        ":",
        ",",
    ]
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=8).map(" ".join)))
def test_whatever_a_server_writes_is_a_wait_from_nothing_to_a_day(value):
    assert 0.0 <= asked(value) <= DAY


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_what_may_pass_waits_as_long_as_was_asked_for(status):
    one = outcome(status, "", 1, SCHEDULE, NOW, 90.0)
    assert (one.name, one.delay, one.due_at) == ("retry", "1m", NOW + 90_000_000)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 410])
def test_what_ends_a_dispatch_ends_it_whatever_was_asked_for(status):
    assert outcome(status, "", 1, SCHEDULE, NOW, 90.0) == DEAD


def test_a_success_is_one_whatever_was_asked_for():
    assert outcome(202, "", 1, SCHEDULE, NOW, 90.0) == DELIVERED

"""How values are written in a request."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.call import microseconds
from schemas.formats import (
    EASTERN,
    call_type,
    eastern,
    eastern_iso,
    flag,
    minutes,
    price,
    tenths,
    total,
    whole,
)


def at(text: str) -> int:
    return microseconds(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("utc", "shown", "iso"),
    [
        ("2026-07-01T14:03:22Z", "2026-07-01 10:03:22", "2026-07-01T10:03:22-04:00"),
        ("2026-01-01T04:59:59Z", "2025-12-31 23:59:59", "2025-12-31T23:59:59-05:00"),
        # The clock jumps from 02:00 to 03:00 on 8 March 2026.
        ("2026-03-08T06:59:59Z", "2026-03-08 01:59:59", "2026-03-08T01:59:59-05:00"),
        ("2026-03-08T07:00:00Z", "2026-03-08 03:00:00", "2026-03-08T03:00:00-04:00"),
        # The hour from 01:00 to 02:00 comes twice on 1 November 2026.
        ("2026-11-01T05:30:00Z", "2026-11-01 01:30:00", "2026-11-01T01:30:00-04:00"),
        ("2026-11-01T06:30:00Z", "2026-11-01 01:30:00", "2026-11-01T01:30:00-05:00"),
        ("2026-07-01T14:03:22.999999Z", "2026-07-01 10:03:22", "2026-07-01T10:03:22-04:00"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31 18:59:59", "1969-12-31T18:59:59-05:00"),
    ],
)
def test_times_are_eastern(utc, shown, iso):  # D40
    assert (eastern(at(utc)), eastern_iso(at(utc))) == (shown, iso)


def converted(seconds: int) -> tuple[str, str]:
    """As Python's own calendar has it, second by second."""
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(EASTERN)
    return moment.replace(tzinfo=None).isoformat(" "), moment.isoformat()


@given(st.integers(-62_135_500_000, 253_402_200_000))
def test_d40_any_second_of_any_year_is_what_the_calendar_says(seconds):
    count = seconds * 1_000_000 + 999_999
    assert (eastern(count), eastern_iso(count)) == converted(seconds)


def test_d40_every_hour_around_every_change_of_the_clock_is_what_the_calendar_says():
    hours = [at(f"{year}-{month:02d}-01T00:00:00Z") // 3_600_000_000 + hour
             for year in range(1970, 2101) for month in (3, 4, 10, 11)
             for hour in range(0, 24 * 30, 1)]  # fmt: skip
    offset = {hour: converted(hour * 3600)[1][-6:] for hour in hours}
    changes = [hour for hour in hours if offset.get(hour - 1, offset[hour]) != offset[hour]]
    assert len(changes) > 250
    for hour in changes:
        for seconds in (hour * 3600 - 1, hour * 3600, hour * 3600 + 3599, hour * 3600 + 3600):
            count = seconds * 1_000_000
            assert (eastern(count), eastern_iso(count)) == converted(seconds)


@given(st.integers(-(2**63), 2**63 - 1))
def test_no_time_that_avro_can_hold_makes_it_raise(count):
    assert (eastern(count) == "") == (eastern_iso(count) == "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0"), (1, "0.1"), (6, "0.1"), (7, "0.2"), (54, "0.9"), (55, "1.0"), (60, "1.0"),
     (61, "1.1"), (66, "1.1"), (67, "1.2"), (3600, "60.0"), (3601, "60.1"), (None, "")],
)  # fmt: skip
def test_tenths_of_a_minute_are_rounded_up(seconds, text):  # D43
    assert tenths(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0"), (1, "1"), (59, "1"), (60, "1"), (61, "2"), (120, "2"), (122, "3"), (None, "")],
)
def test_minutes_are_rounded_up(seconds, text):  # D44
    assert minutes(seconds) == text


@given(st.integers(0, 2**31 - 1))
def test_rounding_never_falls_short_and_never_adds_a_whole_unit(seconds):  # D43, D44
    assert 0 <= round(float(tenths(seconds)) * 10) * 6 - seconds < 6
    assert 0 <= int(minutes(seconds)) * 60 - seconds < 60


@pytest.mark.parametrize(
    ("talk", "intelligent", "sum_"),
    [(61, 61, 122), (61, None, 61), (None, 5, 5), (0, 0, 0), (None, None, None)],
)
def test_the_total_is_talk_and_intelligent_time(talk, intelligent, sum_):  # D45
    assert total(talk, intelligent) == sum_


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (None, ""), (12, "12")])
def test_zero_is_a_value_and_none_is_empty(value, text):  # D26, D55
    assert whole(value) == text


def test_an_unknown_time_is_empty():  # D25
    assert (eastern(None), eastern_iso(None)) == ("", "")


@pytest.mark.parametrize(
    ("word", "text"),
    [("inbound", "Inbound"), ("outbound", "Outbound"), ("click-to", "Click-To"),
     ("INBOUND", "INBOUND"), ("voicemail", "voicemail")],
)  # fmt: skip
def test_the_products_three_words_and_any_other(word, text):  # D42
    assert call_type(word) == text


@pytest.mark.parametrize("write", [tenths, minutes])
def test_a_duration_below_zero_was_never_measured(write):
    assert write(-7) == ""


@pytest.mark.parametrize(("value", "text"), [(True, "1"), (False, "0"), (None, "")])
def test_flags(value, text):  # D47
    assert flag(value) == text


@pytest.mark.parametrize(
    ("given_", "text"),
    [("12.50", "12.50"), ("12.5", "12.50"), ("12", "12.00"), ("0", "0.00"), ("-0", "0.00"),
     ("007.5", "7.50"), ("0.004", "0.00"), ("0.005", "0.01"), ("2.675", "2.68"), ("1e3", "1000.00"),
     ("-3", "-3.00"), ("", ""), ("free", ""), ("$5", ""), ("NaN", ""), ("Infinity", ""),
     ("1e999999", ""), ("12.50\n", "12.50"), ("9" * 17 + ".99", "9" * 17 + ".99")],
)  # fmt: skip
def test_prices_have_two_decimals(given_, text):  # D48
    assert price(given_) == text


@given(st.text() | st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", fullmatch=True))
def test_a_price_is_empty_or_a_number_with_two_decimals(text):  # D48
    assert re.fullmatch(r"|-?(0|[1-9][0-9]*)\.[0-9]{2}", price(text), re.ASCII)

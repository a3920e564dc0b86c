"""How values are written in a request."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.call import microseconds
from schemas.formats import call_type, eastern, eastern_iso, minutes, tenths, total, whole


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

"""Telephone numbers: to E.164 for matching, and as customers are shown them (D41)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.numbers import e164, shown


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("+13125550123", "+13125550123"),
        ("13125550123", "+13125550123"),
        ("3125550123", "+13125550123"),
        ("(312) 555-0123", "+13125550123"),
        ("312.555.0123", "+13125550123"),
        ("312/555-0123", "+13125550123"),
        ("+1 312 555 0123", "+13125550123"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+442079460958", "+442079460958"),
        ("011 44 20 7946 0958", "+442079460958"),
        ("+49 (30) 901820", "+4930901820"),
        ("", ""),
        ("anonymous", ""),
        ("Restricted", ""),
        ("101", ""),
        ("x101", ""),
        ("3125550123 x55", ""),
        ("3125550123;ext=55", ""),
        ("sip:ada@example.com", ""),
        ("sip:+13125550123@example.com", ""),
        ("1-800-FLOWERS", ""),
        ("+", ""),
        ("+0123456789", ""),
        ("-------", ""),
        ("+123456", ""),
        ("+1234567890123456", ""),
        ("+1٣125550123", ""),
        ("٣١٢٥٥٥٠١٢٣", ""),
        ("+13125550123\n", "+13125550123"),
        ("9" * 31, ""),
        ("9" * 1_000_000, ""),
    ],
)
def test_what_becomes_of_a_number(raw, normal):
    assert e164(raw) == normal


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("+13125550123", "3125550123"),
        ("(312) 555-0123", "3125550123"),
        ("+44 20 7946 0958", "442079460958"),
        ("anonymous", "anonymous"),
        ("101", "101"),
        ("sip:ada@example.com", "sip:ada@example.com"),
        ("", ""),
    ],
)
def test_what_customers_are_shown(raw, seen):
    assert shown(raw, e164(raw)) == seen


@given(st.text(alphabet="+0123456789 ().-/x\n٣", max_size=40))
def test_the_result_is_always_empty_or_e164_and_stays_as_it_is(raw):
    normal = e164(raw)
    assert normal == "" or (normal[0] == "+" and normal[1:].isdecimal() and normal.isascii())
    assert e164(normal) == normal


def test_a_short_local_number_has_no_e164_form():
    assert e164("+4/30000") == ""

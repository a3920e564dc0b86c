"""Percent-encoding (D24)."""

from __future__ import annotations

import re
from urllib.parse import quote_plus, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.form import encoded

ANY = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=40)
USUAL = st.text("aZ09-._~ %+&=;:/|\0\x7fé€🦷", max_size=20)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("", ""),
        ("azAZ09-._~", "azAZ09-._~"),
        (" ", "+"),
        ("+", "%2B"),
        ("%", "%25"),
        ("%2B +", "%252B+%2B"),
        (";&=", "%3B%26%3D"),
        ("a/b:c?d#e@f|g", "a%2Fb%3Ac%3Fd%23e%40f%7Cg"),
        ("\r\n\t\0\x7f", "%0D%0A%09%00%7F"),
        ("é€🦷", "%C3%A9%E2%82%AC%F0%9F%A6%B7"),
        ("كيف", "%D9%83%D9%8A%D9%81"),
        ("\u202e", "%E2%80%AE"),
        ("\ud83d", "%EF%BF%BD"),
        ("\ude00\ud83d", "%EF%BF%BD%EF%BF%BD"),
        ("\ud83d\ude00", "%F0%9F%98%80"),
    ],
)
def test_d24_utf8_percent_encoded_with_plus_for_space(text, escaped):
    assert encoded(text) == escaped.encode()


@given(ANY | USUAL)
def test_what_is_encoded_may_stand_in_any_query(text):
    assert re.fullmatch(rb"(?:[A-Za-z0-9._~+-]|%[0-9A-F]{2})*", encoded(text))


@given(st.text())
def test_it_is_what_pythons_own_library_makes(text):
    assert encoded(text).decode() == quote_plus(text)
    assert unquote_plus(encoded(text).decode()) == text


def test_every_byte_and_a_text_of_very_many_characters_are_as_pythons_library_has_them():
    text = "".join(map(chr, range(0x3000)))
    assert encoded(text).decode() == quote_plus(text)

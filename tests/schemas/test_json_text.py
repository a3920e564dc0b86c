"""Invalid UTF-8 and unpaired surrogates become U+FFFD; all else is left alone (D24)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.call import Call
from schemas.json_text import repaired


@pytest.mark.parametrize(
    "text",
    [b"{}", '{"a": "é😀"}'.encode(), b'{"a": "\\u00e9"}', b"not json", b"", b"NaN"],
)
def test_sound_text_is_the_very_same_object(text):
    assert repaired(text) is text


def test_an_invalid_byte_becomes_the_replacement_character():
    assert json.loads(repaired(b'{"a": "x\xffy"}')) == {"a": "x\ufffdy"}


@pytest.mark.parametrize("lone", ["\\ud800", "\\uDBFF", "\\udc00", "\\uDFFF"])
def test_an_unpaired_surrogate_becomes_the_replacement_character(lone):
    assert json.loads(repaired(f'{{"a": "x{lone}y"}}'.encode())) == {"a": "x\ufffdy"}


def test_a_pair_of_surrogates_stays_one_character():
    assert json.loads(repaired(b'{"a": "\\ud83d\\ude00"}')) == {"a": "😀"}


def test_an_escaped_backslash_before_a_u_is_no_escape():
    assert json.loads(repaired(b'{"a": "\\\\ud800"}')) == {"a": "\\ud800"}


def test_a_surrogate_in_a_name_is_repaired_too():
    assert json.loads(repaired(b'{"\\ud800": 1}')) == {"\ufffd": 1}


def test_broken_json_is_left_to_the_parser():
    assert repaired(b'{"a": "\\ud800"') == b'{"a": "\\ud800"'


def test_text_nested_too_deeply_is_left_to_the_parser():
    text = b"[" * 200_000 + b'"\\ud800"'
    assert repaired(text) == text


def test_a_repaired_call_is_accepted(call):
    text = call(phone_label="@").encode().replace(b"@", b"\\ud800\xff")
    assert Call.model_validate_json(repaired(text)).phone_label == "\ufffd\ufffd"


@given(st.binary())
def test_no_bytes_make_it_raise(data):
    repaired(data).decode()


@given(st.text(st.characters(categories=["L", "Cs", "So"])))
def test_whatever_text_python_writes_as_json_can_be_read_strictly(text):
    value = json.loads(repaired(json.dumps(text).encode()))
    assert (
        value.encode()
        == json.loads(json.dumps(text))
        .encode("utf-16", "surrogatepass")
        .decode("utf-16", "replace")
        .encode()
    )

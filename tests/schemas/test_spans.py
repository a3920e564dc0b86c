"""Fields are found in a record's bytes where reading the record would find them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import binary
from schemas.layouts import layout
from schemas.spans import Places, Spans

INNER = {"type": "record", "name": "Inner", "fields": [
    {"name": "word", "type": "string"}, {"name": "size", "type": ["null", "long"]},
]}  # fmt: skip
LAYOUT = layout({"type": "record", "name": "Outer", "fields": [
    {"name": "first", "type": "string"},
    {"name": "count", "type": "long"},
    {"name": "perhaps", "type": ["null", "long"]},
    {"name": "list", "type": {"type": "array", "items": "string"}},
    {"name": "inner", "type": ["null", INNER]},
    {"name": "passed", "type": ["null", "Inner"]},
    {"name": "raw", "type": "bytes"},
    {"name": "flag", "type": "boolean"},
    {"name": "colour", "type": {"type": "enum", "name": "Colour", "symbols": ["RED", "BLUE"]}},
]})  # fmt: skip
PLACES = Places(LAYOUT, {"inner"})
NUMBERS = PLACES.numbers
TEXT = st.text(st.characters(codec="utf-8"), max_size=80)
LONG = st.integers(-(2**63), 2**63 - 1)
INNERS = st.none() | st.fixed_dictionaries({"word": TEXT, "size": st.none() | LONG})
RECORDS = st.fixed_dictionaries({
    "first": TEXT, "count": LONG, "perhaps": st.none() | LONG, "list": st.lists(TEXT, max_size=3),
    "inner": INNERS, "passed": INNERS, "raw": st.binary(max_size=90), "flag": st.booleans(),
    "colour": st.sampled_from(["RED", "BLUE"]),
})  # fmt: skip
SPANS = Spans(PLACES)


def number(path):
    return SPANS.whole(NUMBERS[path]) if SPANS.is_there(NUMBERS[path]) else None


@given(RECORDS, st.binary(max_size=5), st.binary(max_size=5))
def test_every_field_is_where_it_was_written(record, before, behind):
    data = before + binary.write(LAYOUT, record) + behind
    end = SPANS.walk(data, len(before), NUMBERS["colour"])
    assert data[end:] == behind
    inner = record["inner"] or {"word": "", "size": None}
    assert SPANS.piece(NUMBERS["first"]).decode() == record["first"]
    assert SPANS.piece(NUMBERS["raw"]) == record["raw"]
    assert SPANS.piece(NUMBERS["inner.word"]).decode() == inner["word"]
    assert SPANS.is_there(NUMBERS["inner"]) == (record["inner"] is not None)
    assert (number("count"), number("perhaps")) == (record["count"], record["perhaps"])
    assert number("inner.size") == inner["size"]
    assert (number("flag"), number("colour")) == (record["flag"], record["colour"] == "BLUE")


@given(RECORDS, st.data())
def test_what_is_cut_off_is_refused(record, data):
    written = binary.write(LAYOUT, record)
    cut = data.draw(st.integers(0, len(written) - 1))
    with pytest.raises((ValueError, IndexError)):
        SPANS.walk(written[:cut], 0, NUMBERS["colour"])


def test_it_goes_no_further_than_it_has_to():
    assert SPANS.walk(b"\x02a\x06" + b"\xff" * 9, 0, NUMBERS["count"]) == 3
    assert SPANS.piece(NUMBERS["first"]) == b"a"

"""A Dispatch's own fields, read without the call and the action behind them."""

import pytest
from dispatch_heads import HEAD_FIELDS
from hypothesis import given
from hypothesis import strategies as st

from schemas import binary
from schemas.codec import Codec, Undecodable
from schemas.dispatch import HEAD, opened

HEADS = st.fixed_dictionaries(HEAD_FIELDS)
CODEC = Codec()
HEADER = CODEC.header("Dispatch", "pca.dispatch")


@given(HEADS, st.binary(max_size=50))
def test_the_fields_are_those_that_were_written(head, rest):
    value = HEADER + binary.write(HEAD, head) + rest
    found, data, call_at = opened(CODEC, value)
    assert found == head
    assert list(found) == [field.name for field in HEAD.inner]
    assert data[call_at:] == rest


@given(HEADS, st.data())
def test_what_is_cut_off_is_refused_with_the_field_where_it_ends(head, data):
    written = binary.write(HEAD, head)
    cut = data.draw(st.integers(0, len(written) - 1))
    with pytest.raises(Undecodable, match=r"not a Dispatch: (\w+): ") as refused:
        opened(CODEC, HEADER + written[:cut])
    assert refused.value.reason == "malformed"


def test_a_branch_that_there_is_not_is_refused():
    head = {"dispatch_id": "d", "account_id": "a", "action_id": "x", "sid": "s",
            "config_version": 1, "action_version": 1, "routed_at": 0}  # fmt: skip
    written = bytearray(binary.write(HEAD, head))
    written[-7] = 6  # due_at
    with pytest.raises(Undecodable, match="not a Dispatch: due_at: there is no such branch"):
        opened(CODEC, HEADER + bytes(written))

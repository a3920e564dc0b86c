"""A Dispatch's own fields, read without the call and the action behind them."""

import pytest
from dispatch_heads import HEAD_FIELDS
from hypothesis import given
from hypothesis import strategies as st

from schemas import binary
from schemas.codec import Codec, Undecodable
from schemas.dispatch import HEAD, heading, opened

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


@pytest.mark.parametrize("read", [opened, heading])
@given(HEADS, st.data())
def test_what_is_cut_off_is_refused_with_the_field_where_it_ends(read, head, data):
    written = binary.write(HEAD, head)
    cut = data.draw(st.integers(0, len(written) - 1))
    with pytest.raises(Undecodable, match=r"not a Dispatch: (\w+): ") as refused:
        read(CODEC, HEADER + written[:cut])
    assert refused.value.reason == "malformed"


def test_a_branch_that_there_is_not_is_refused():
    head = {"dispatch_id": "d", "account_id": "a", "action_id": "x", "sid": "s",
            "config_version": 1, "action_version": 1, "routed_at": 0}  # fmt: skip
    written = bytearray(binary.write(HEAD, head))
    written[-7] = 6  # due_at
    with pytest.raises(Undecodable, match="not a Dispatch: due_at: there is no such branch"):
        opened(CODEC, HEADER + bytes(written))


@given(HEADS, st.binary(max_size=50))
def test_a_heading_finds_what_reading_the_fields_finds(head, rest):
    value = HEADER + binary.write(HEAD, head) + rest
    found = heading(CODEC, value)
    assert found.record() == head
    assert value[found.end :] == rest
    assert (found.dispatch_id.decode(), found.phone_label.decode()) == (
        head["dispatch_id"], head["phone_label"],
    )  # fmt: skip
    for name in ("attempt", "action_version", "routed_at", "due_at", "call_bytes",
                 "reverse_lookup_enabled"):  # fmt: skip
        assert getattr(found, name) == head[name]


@given(HEADS)
def test_the_parts_of_a_heading_are_those_of_an_attempt(head):
    found = heading(CODEC, HEADER + binary.write(HEAD, head))
    names = ["account_id", "action_id", "sid", "revision", "attempt", "config_version",
             "action_version"]  # fmt: skip
    account = HEAD.part("account_id", "account_id")
    rest = HEAD.part("action_id", "action_version")
    data = found.data
    assert data[found.id_end : found.account_end] == binary.write(account, head)
    assert data[found.account_end : found.versions_end] == binary.write(rest, head)
    assert [field.name for field in account.inner + rest.inner] == names


@pytest.mark.parametrize("read", [opened, heading])
@pytest.mark.parametrize(
    "field", ["dispatch_id", "account_id", "action_id", "sid", "phone_label", "error", "detail"]
)
def test_a_text_that_is_none_is_refused_with_its_field(read, field):
    failure = {"error": "error", "detail": "detail", "status": None, "failed_at": 0}
    head = {"dispatch_id": "dispatch_id", "account_id": "account_id", "action_id": "action_id",
            "sid": "sid", "phone_label": "phone_label", "config_version": 1, "action_version": 1,
            "routed_at": 0, "failure": failure}  # fmt: skip
    written = binary.write(HEAD, head).replace(field.encode(), b"\xff" * len(field))
    with pytest.raises(Undecodable, match=f"not a Dispatch: {field}: ") as refused:
        read(CODEC, HEADER + written)
    assert refused.value.reason == "malformed"

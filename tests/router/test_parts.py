"""A dispatch joined from its parts is the dispatch written whole."""

from dispatch_heads import HEAD_FIELDS
from hypothesis import given
from hypothesis import strategies as st

from router import calls
from router.parts import CallPart, action_part
from schemas import binary
from schemas.configuration import action_key
from schemas.released import current

_HEAD = current("Dispatch").layout.part(last="call_bytes")
HEADS = st.fixed_dictionaries(
    HEAD_FIELDS | {"attempt": st.just(1), "due_at": st.none(), "failure": st.none()}
)


def names(layout):
    return [field.name for field in layout.inner]


@given(HEADS, st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=10))
def test_joined_parts_are_the_head_written_whole_and_both_bodies(head, call, action, header):
    assert set(head) == set(names(_HEAD))
    part = action_part(head["account_id"], head["action_id"], head["action_version"], action)
    features = head | {"version": head["config_version"]}
    made = CallPart(
        head["sid"], head["revision"], features, head["phone_label"], head["routed_at"], call
    )
    joined = made.dispatch(header, head["dispatch_id"].encode(), part)
    whole = binary.write(_HEAD, head | {"call_bytes": len(call)})
    assert joined == header + whole + call + action


def test_an_actions_part_has_the_key_of_its_dispatches():
    assert action_part("acme", "crm", 1, b"").key == action_key("acme", "crm")


def test_a_layout_can_be_cut_to_neighbouring_fields():
    assert names(_HEAD.part("sid", "attempt")) == ["sid", "revision", "attempt"]


def test_every_field_of_a_call_is_read_or_walked_through():
    whole = names(current("CallCompleted").layout)
    assert names(calls._LEADING) + names(calls._REST) == whole

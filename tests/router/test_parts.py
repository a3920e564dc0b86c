"""A dispatch joined from its parts is the dispatch written whole."""

from dispatch_heads import HEAD_FIELDS
from hypothesis import given
from hypothesis import strategies as st

from router import calls
from router.ids import dispatch_id
from router.parts import CallPart, account_part, action_part, routing_part
from schemas import binary
from schemas.configuration import action_key
from schemas.released import current

_HEAD = current("Dispatch").layout.part(last="call_bytes")
HEADS = st.fixed_dictionaries(
    HEAD_FIELDS | {"attempt": st.just(1), "due_at": st.none(), "failure": st.none()}
)


def names(layout):
    return [field.name for field in layout.inner]


@given(HEADS, st.text(max_size=200), st.binary(max_size=200), st.binary(max_size=10))
def test_joined_parts_are_the_head_written_whole_and_both_bodies(head, click, action, header):
    assert set(head) == set(names(_HEAD))
    account, sid, revision = head["account_id"], head["sid"], head["revision"]
    call = calls.routed({"account_id": account, "sid": sid, "revision": revision,
                         "call_type": "inbound", "started_at": 0, "click_id": click})  # fmt: skip
    made = CallPart(
        call,
        account_part(account, head | {"version": head["config_version"]}),
        routing_part(head["routed_at"]),
        head["phone_label"],
    )
    part = action_part(account, head["action_id"], head["action_version"], action)
    id_ = dispatch_id(account, sid, revision, head["action_id"])
    whole = binary.write(_HEAD, head | {"dispatch_id": id_, "call_bytes": len(call.body)})
    assert made.dispatch(header, part) == header + whole + call.body + action


def test_an_actions_part_has_the_key_of_its_dispatches():
    assert action_part("acme", "crm", 1, b"").key == action_key("acme", "crm")


def test_a_layout_can_be_cut_to_neighbouring_fields():
    assert names(_HEAD.part("sid", "attempt")) == ["sid", "revision", "attempt"]

"""The bytes of a dispatch, joined from what its call and its action each give to it.

Avro is plain concatenation: what all dispatches of a call have in common is written once a call,
what all those of an action have in common once an action, and a dispatch is only joined.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas import binary
from schemas.configuration import action_key
from schemas.released import Record, current

_DISPATCH = current("Dispatch").layout
# In the order of the schema; in front of the first stands dispatch_id, behind the last the bytes
# of the call and of the action.
_IDS = _DISPATCH.part("account_id", "action_id")
_CALL = _DISPATCH.part("sid", "config_version")
_VERSION = _DISPATCH.part("action_version", "action_version")
_ROUTING = _DISPATCH.part("routed_at", "call_bytes")
_ID_LENGTH = bytes((2 * 36,))
"""How Avro writes the length of a UUID's text."""


@dataclass(frozen=True, slots=True)
class ActionPart:
    """What an action gives to its dispatches."""

    key: str
    """Of the dispatches, on their topic."""
    action_id: bytes
    """UTF-8, for the dispatch id."""
    ids: bytes
    """`account_id` and `action_id`."""
    version: bytes
    body: bytes
    """The Action record's bytes, current release."""


def action_part(account_id: str, action_id: str, version: int, body: bytes) -> ActionPart:
    """The part of an account's action; `body` are its record's bytes, current release."""
    return ActionPart(
        key=action_key(account_id, action_id),
        action_id=action_id.encode(),
        ids=binary.write(_IDS, {"account_id": account_id, "action_id": action_id}),
        version=binary.write(_VERSION, {"action_version": version}),
        body=body,
    )


class CallPart:
    """What a call gives to its dispatches."""

    __slots__ = ("_behind_ids", "_behind_version")

    def __init__(self, head: Record, body: bytes) -> None:
        """`head`: the Dispatch's fields from `sid` to `failure` but for the action's, others are
        not looked at; `body`: the call's record, current release. `call_bytes` is added to `head`.
        Raises ValueError for a field that is missing or of the wrong type."""
        head["call_bytes"] = len(body)
        self._behind_ids = binary.write(_CALL, head)
        self._behind_version = binary.write(_ROUTING, head) + body

    def dispatch(self, header: bytes, dispatch_id: str, action: ActionPart) -> bytes:
        """A Dispatch behind its wire format's header."""
        return b"".join((
            header, _ID_LENGTH, dispatch_id.encode(), action.ids,
            self._behind_ids, action.version, self._behind_version, action.body,
        ))  # fmt: skip

"""The bytes of a dispatch, joined from what its call and its action each give to it.

Avro is plain concatenation: what all dispatches of a call have in common is written once a call,
what all those of an action have in common once an action, and a dispatch is only joined. Fields are
written in the order of the Dispatch's schema: its id, those of the action, the call's, the action's
version, the routing's, and the bytes of call and action.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.binary import Writer
from schemas.configuration import action_key
from schemas.released import Record

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
    ids, versions = Writer(), Writer()
    ids.text(account_id)
    ids.text(action_id)
    versions.number(version)
    return ActionPart(
        key=action_key(account_id, action_id),
        action_id=action_id.encode(),
        ids=ids.getvalue(),
        version=versions.getvalue(),
        body=body,
    )


class CallPart:
    """What a call gives to its dispatches."""

    __slots__ = ("_behind_ids", "_behind_version")

    def __init__(
        self, sid: str, revision: int, features: Record, label: str, routed_at: int, body: bytes
    ) -> None:
        """`features`: the Account record; `label`: the called number's; `routed_at` in microseconds
        since 1970; `body`: the call's record, current release."""
        front = Writer()
        front.text(sid)
        front.number(revision)
        front.number(1)  # attempt
        front.number(features["version"])
        self._behind_ids = front.getvalue()
        back = Writer()
        back.number(routed_at)
        back.number_or_null(None)  # due_at
        back.text(label)
        back.flag(features["reverse_lookup_enabled"])
        back.flag(features["sourcetrak_enabled"])
        back.flag(features["leadflow_enabled"])
        back.number_or_null(None)  # failure
        size = len(body)  # call_bytes
        back.number(size)
        back.raw(body)
        self._behind_version = back.getvalue()

    def dispatch(self, header: bytes, dispatch_id: bytes, action: ActionPart) -> bytes:
        """A Dispatch behind its wire format's header. `dispatch_id` is the text of a UUID."""
        return b"".join((
            header, _ID_LENGTH, dispatch_id, action.ids,
            self._behind_ids, action.version, self._behind_version, action.body,
        ))  # fmt: skip

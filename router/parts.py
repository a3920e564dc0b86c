"""The bytes of a dispatch, joined from what its account, its call and its action each give to it.

Avro is plain concatenation: what all dispatches of a call have in common is written once a call,
what all those of an action or an account have in common once for these, and a dispatch is only
joined. Fields are written in the order of the Dispatch's schema: its id, those of the action, the
call's, the versions, the routing's, and the bytes of call and action.

`%b` is joined without a tuple in between where it is compiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

from mypy_extensions import i64, mypyc_attr

from router.calls import RoutedCall
from router.ids import account_hash, call_text, id_of
from schemas.binary import Writer
from schemas.configuration import action_key
from schemas.released import Record

_ID_LENGTH: Final = bytes((2 * 36,))
"""How Avro writes the length of a UUID's text."""
_NULL: Final = b"\0"
"""A union's, whose first branch is null."""


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
        ids=_text(account_id) + _text(action_id),
        version=_number(version),
        body=body,
    )


@dataclass(frozen=True, slots=True)
class AccountPart:
    """What an account gives to its dispatches."""

    id_hash: Any
    """Of the dispatch ids, begun."""
    versions: bytes
    """`attempt`, 1, and `config_version`."""
    features: bytes
    """What is enabled; and `failure`, none."""


def account_part(account_id: str, features: Record) -> AccountPart:
    """The part of an account; `features` is its Account record."""
    flags = Writer()
    flags.flag(features["reverse_lookup_enabled"])
    flags.flag(features["sourcetrak_enabled"])
    flags.flag(features["leadflow_enabled"])
    return AccountPart(
        id_hash=account_hash(account_id),
        versions=_number(1) + _number(features["version"]),
        features=flags.getvalue() + _NULL,
    )


def routing_part(routed_at: int) -> bytes:
    """`routed_at`, microseconds since 1970, and `due_at`, none: the same for a batch."""
    return _number(routed_at) + _NULL


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class CallPart:
    """What a call gives to its dispatches."""

    __slots__ = ("_behind_ids", "_behind_version", "_body", "_id_hash", "_id_text")

    def __init__(self, call: RoutedCall, account: AccountPart, routing: bytes, label: str) -> None:
        """`routing`: a `routing_part`; `label`: the called number's."""
        self._id_hash = account.id_hash
        self._id_text = call_text(call.sid, int(call.revision))
        self._behind_ids = call.ids + account.versions
        between = Writer(routing)
        between.text(label)
        between.raw(account.features)
        between.number(call.end - call.start)  # call_bytes
        self._behind_version = between.getvalue()
        self._body = call.body  # joined into dispatches alone: it is long, and most have one

    def dispatch(self, header: bytes, action: ActionPart) -> bytes:
        """A Dispatch behind its wire format's header."""
        id_ = id_of(self._id_hash, self._id_text, action.action_id)
        return b"%b%b%b%b%b%b%b%b%b" % (
            header, _ID_LENGTH, id_, action.ids, self._behind_ids, action.version,
            self._behind_version, self._body, action.body,
        )  # fmt: skip


def _number(number: i64) -> bytes:
    out = Writer()
    out.number(number)
    return out.getvalue()


def _text(text: str) -> bytes:
    out = Writer()
    out.text(text)
    return out.getvalue()

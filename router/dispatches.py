"""From a call to its dispatches: what was decided, their ids, and their bytes."""

from __future__ import annotations

import hashlib
from typing import Any, Final
from uuid import UUID

from librt.strings import BytesWriter
from mypy_extensions import i64, u8

from router.configuration import Account
from router.parts import CallPart
from router.resolve import Resolution, resolve
from schemas.released import Record

DISPATCH_NAMESPACE = UUID("6f1c3c1e-5f0b-5d0a-9a3e-0c5f3a1d7b42")
"""Ours, for ever: another one would change every dispatch id."""

_NAMESPACE_HASH = hashlib.sha1(DISPATCH_NAMESPACE.bytes, usedforsecurity=False)
_HEX: Final = b"0123456789abcdef"


def dispatch_id(account_id: str, sid: str, revision: int, action_id: str) -> str:
    """The same for every attempt, replay and duplicate of one call for one action (D10).

    UUIDv5 of the four, joined by line breaks: only a sid can hold one, so no other four make the
    same text.
    """
    return _id_of(_call_hash(account_id, sid, revision), action_id.encode()).decode()


def _call_hash(account_id: str, sid: str, revision: int) -> Any:
    """SHA-1 of the id's text up to the action, which differs only behind it."""
    hashed = _NAMESPACE_HASH.copy()
    hashed.update(f"{account_id}\n{sid}\n{revision}\n".encode())
    return hashed


def _id_of(call_hash: Any, action_id: bytes) -> bytes:
    """The text of what `uuid.uuid5` makes, at a fraction of its cost."""
    hashed = call_hash.copy()
    hashed.update(action_id)
    digest: bytes = hashed.digest()
    out = BytesWriter()
    for n in range(16):
        byte: i64 = digest[n]
        if n == 6:
            byte = byte & 0x0F | 0x50  # version 5
        elif n == 8:
            byte = byte & 0x3F | 0x80  # the variant of RFC 9562
        if n == 4 or n == 6 or n == 8 or n == 10:  # noqa: PLR1714 - `in` would make a tuple of it
            out.append(u8(0x2D))
        out.append(u8(_HEX[byte >> 4]))
        out.append(u8(_HEX[byte & 15]))
    return out.getvalue()


def dispatches(
    call: Record, call_body: bytes, account: Account, routed_at: int, header: bytes = b""
) -> tuple[Resolution, list[tuple[str, bytes]]]:
    """What was decided for a call, and (key, Dispatch behind `header`) for what runs.

    Of `call` the leading fields must be there, and `leadflow` where `account.asks_leadflow`.
    `call_body` are its own bytes, current release, without header, which are carried along
    untouched. `routed_at` in microseconds since 1970.
    """
    resolution = resolve(call, account)
    made: list[tuple[str, bytes]] = []
    call_hash = part = None
    for decision in resolution.decisions:
        if not decision.runs:
            continue
        if part is None:  # most calls have something to run, but not all
            call_hash = _call_hash(call["account_id"], call["sid"], call["revision"])
            part = _part_of(call, call_body, account, resolution.label, routed_at)
        action = decision.action.part
        id_ = _id_of(call_hash, action.action_id)
        made.append((action.key, part.dispatch(header, id_, action)))
    return resolution, made


def _part_of(
    call: Record, call_body: bytes, account: Account, label: str, routed_at: int
) -> CallPart:
    features = account.features
    assert features is not None
    return CallPart(call["sid"], call["revision"], features, label, routed_at, call_body)

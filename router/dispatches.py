"""From a resolved call to the bytes of its dispatches."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid5

from router.configuration import Account
from router.resolve import Resolution, resolve
from schemas import binary
from schemas.configuration import action_key
from schemas.released import Record, current

DISPATCH_NAMESPACE = UUID("6f1c3c1e-5f0b-5d0a-9a3e-0c5f3a1d7b42")
"""Ours, for ever: another one would change every dispatch id."""

_HEAD = current("Dispatch").layout.up_to("call_bytes")


def dispatch_id(account_id: str, sid: str, revision: int, action_id: str) -> str:
    """The same for every attempt, replay and duplicate of one call for one action (D10).

    UUIDv5 of the four, joined by line breaks, which none of them can hold.
    """
    return str(uuid5(DISPATCH_NAMESPACE, f"{account_id}\n{sid}\n{revision}\n{action_id}"))


def dispatches(
    call: Record, call_body: bytes, account: Account, routed_at: int
) -> tuple[Resolution, Iterator[tuple[str, bytes]]]:
    """What was decided for a call, and (key, Dispatch without header) for what runs.

    `call_body` are the call's own bytes, current release, without header: Avro is plain
    concatenation, so they are carried along untouched. `routed_at` in microseconds.
    """
    resolution = resolve(call, account)
    return resolution, _running(call, call_body, account, resolution, routed_at)


def _running(
    call: Record, call_body: bytes, account: Account, resolution: Resolution, routed_at: int
) -> Iterator[tuple[str, bytes]]:
    features = account.features
    assert features is not None
    head = {
        "account_id": call["account_id"],
        "sid": call["sid"],
        "revision": call["revision"],
        "attempt": 1,
        "config_version": features["version"],
        "routed_at": routed_at,
        "due_at": None,
        "phone_label": resolution.label,
        "reverse_lookup_enabled": features["reverse_lookup_enabled"],
        "sourcetrak_enabled": features["sourcetrak_enabled"],
        "leadflow_enabled": features["leadflow_enabled"],
        "failure": None,
        "call_bytes": len(call_body),
    }
    for decision in resolution.decisions:
        if not decision.runs:
            continue
        action = decision.action
        head["action_id"] = action.action_id
        head["action_version"] = action.version
        head["dispatch_id"] = dispatch_id(
            call["account_id"], call["sid"], call["revision"], action.action_id
        )
        key = action_key(call["account_id"], action.action_id)
        yield key, binary.write(_HEAD, head) + call_body + action.body

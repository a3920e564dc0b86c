"""The parts of a Dispatch: its own fields, then the bytes of the call, then those of the action."""

from __future__ import annotations

from schemas import binary
from schemas.binary import Reader
from schemas.codec import Codec, Undecodable, decode_body
from schemas.released import Record, current

_SCHEMA = current("Dispatch")
HEAD = _SCHEMA.layout.part(last="call_bytes")
"""Its own fields."""
_FAILURE = next(field for field in HEAD.inner if field.name == "failure")


def opened(codec: Codec, value: bytes | None) -> tuple[Record, bytes, int]:
    """A Dispatch's own fields; its bytes in the current release, perhaps behind a header; and where
    call and action begin there.

    Raises `Undecodable`, and `RegistryUnavailable`.
    """
    writer, start = codec.split(value, "Dispatch")
    assert value is not None
    if writer is not _SCHEMA:
        value, start = _SCHEMA.encode(decode_body(value, start, writer)), 0
    reader = Reader(value, start)
    try:
        return _head(reader), value, reader.at
    except (IndexError, ValueError) as error:
        raise Undecodable("malformed", f"not a Dispatch: {_fault(value, start)}") from error


def _head(reader: Reader) -> Record:
    """By hand, in the schema's order: a third of the time that it takes by its layout."""
    return {
        "dispatch_id": reader.text(),
        "account_id": reader.text(),
        "action_id": reader.text(),
        "sid": reader.text(),
        "revision": int(reader.number()),
        "attempt": int(reader.number()),
        "config_version": int(reader.number()),
        "action_version": int(reader.number()),
        "routed_at": int(reader.number()),
        "due_at": int(reader.number()) if reader.is_there() else None,
        "phone_label": reader.text(),
        "reverse_lookup_enabled": reader.flag(),
        "sourcetrak_enabled": reader.flag(),
        "leadflow_enabled": reader.flag(),
        "failure": reader.record(_FAILURE) if reader.is_there() else None,
        "call_bytes": int(reader.number()),
    }


def _fault(value: bytes, start: int) -> str:
    """Which field cannot be read, and why."""
    try:
        binary.read(HEAD, value, start)
    except binary.Malformed as error:
        return str(error)
    return ""

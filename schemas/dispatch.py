"""The parts of a Dispatch: its own fields, then the bytes of the call, then those of the action."""

from __future__ import annotations

from schemas import binary
from schemas.codec import Codec, Undecodable, decode_body
from schemas.released import Record, current

_SCHEMA = current("Dispatch")
HEAD = _SCHEMA.layout.part(last="call_bytes")
"""Its own fields."""


def opened(codec: Codec, value: bytes | None) -> tuple[Record, bytes, int]:
    """A Dispatch's own fields; its bytes in the current release, perhaps behind a header; and where
    call and action begin there.

    Raises `Undecodable`, and `RegistryUnavailable`.
    """
    writer, start = codec.split(value, "Dispatch")
    assert value is not None
    if writer is not _SCHEMA:
        value, start = _SCHEMA.encode(decode_body(value, start, writer)), 0
    try:
        head, call_at = binary.read(HEAD, value, start)
    except binary.Malformed as error:
        raise Undecodable("malformed", f"not a Dispatch: {error}") from error
    return head, value, call_at

"""A call as routing reads it: its leading fields, and its bytes."""

from __future__ import annotations

from schemas import binary
from schemas.call import MAX_CALL_BYTES
from schemas.codec import Codec, Undecodable, decode_body
from schemas.released import Record, current

_CALL = current("CallCompleted")
_LEADING = _CALL.layout.part(last="talk_seconds")
"""What routing needs, unless an action's conditions look at more; it stands first for that."""
_REST = _CALL.layout.part("started_at")


def read(codec: Codec, value: bytes | None) -> tuple[Record, bytes]:
    """The call, from `account_id` to `talk_seconds` at least; and its record's bytes, current
    release. Raises `Undecodable`.

    What is cut off must end here, where its raw bytes can be kept, and not in every dispatcher
    behind; so the rest is walked through: lengths, branches and the end are checked. Texts in it
    are not looked at: one that is no UTF-8 ends where it is used, as `unrenderable`.
    """
    writer, start = codec.split(value, "CallCompleted")
    assert value is not None
    if len(value) > MAX_CALL_BYTES:
        raise Undecodable("too_large", f"{len(value):,} bytes; a call may have {MAX_CALL_BYTES:,}")
    if writer is not _CALL:
        call = decode_body(value, start, writer)
        return call, _CALL.encode(call)
    try:
        call, read_to = binary.read(_LEADING, value, start)
        end = binary.end_of(_REST, value, read_to)
    except binary.Malformed as error:
        raise Undecodable("malformed", f"not a CallCompleted: {error}") from error
    if end < len(value):
        raise Undecodable("malformed", f"{len(value) - end} bytes are left after the CallCompleted")
    return call, value[start:]


def whole(body: bytes) -> Record:
    """All fields of a call that `read` gave. Raises `Undecodable` for a text that is no UTF-8."""
    return decode_body(body, 0, _CALL)

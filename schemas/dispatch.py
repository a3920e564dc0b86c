"""The parts of a Dispatch: its own fields, then the bytes of the call, then those of the action."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from schemas import binary
from schemas.binary import Reader
from schemas.codec import Codec, Undecodable, decode_body
from schemas.released import Record, current

_SCHEMA = current("Dispatch")
HEAD: Final = _SCHEMA.layout.part(last="call_bytes")
"""Its own fields."""
_FAILURE: Final = next(field for field in HEAD.inner if field.name == "failure")


@final
class Heading:
    """A Dispatch's own fields as far as delivery looks at them; the others are only found. Its
    bytes are `data`, in the current release, perhaps behind a header."""

    def __init__(self, data: bytes, start: int) -> None:
        """Raises ValueError, or IndexError where the bytes end."""
        self.data = data
        self.start: i64 = start
        reader = Reader(data, start)
        self.dispatch_id = reader.utf8()
        self.id_end: i64 = reader.at
        reader.utf8()  # account_id
        self.account_end: i64 = reader.at
        reader.utf8()  # action_id
        self.action_end: i64 = reader.at
        reader.utf8()  # sid
        reader.number()  # revision
        self.attempt: i64 = reader.number()
        reader.number()  # config_version
        self.action_version: i64 = reader.number()
        self.versions_end: i64 = reader.at
        self.routed_at: i64 = reader.number()
        self.due_at: int | None = None
        if reader.is_there():
            due_at: i64 = reader.number()
            self.due_at = int(due_at)
        self.phone_label = reader.utf8()
        self.reverse_lookup_enabled = reader.flag()
        reader.flag()  # sourcetrak_enabled
        reader.flag()  # leadflow_enabled
        if reader.is_there():
            reader.value(_FAILURE)  # of retries alone; so that `record` never fails later
        self.call_bytes: i64 = reader.number()
        self.end: i64 = reader.at

    def record(self) -> Record:
        """All of its own fields."""
        found, _ = binary.read(HEAD, self.data, int(self.start))
        return found


def heading(codec: Codec, value: bytes | None) -> Heading:
    """Raises `Undecodable`, and `RegistryUnavailable`."""
    data, start = _current(codec, value)
    try:
        return Heading(data, start)
    except (IndexError, ValueError) as error:
        opened(codec, value)  # which says of which field
        raise Undecodable("malformed", f"not a Dispatch: {error}") from error


def opened(codec: Codec, value: bytes | None) -> tuple[Record, bytes, int]:
    """A Dispatch's own fields; its bytes in the current release, perhaps behind a header; and where
    call and action begin there.

    Raises `Undecodable`, and `RegistryUnavailable`.
    """
    data, start = _current(codec, value)
    try:
        head, call_at = binary.read(HEAD, data, start)
    except binary.Malformed as error:
        raise Undecodable("malformed", f"not a Dispatch: {error}") from error
    return head, data, call_at


def _current(codec: Codec, value: bytes | None) -> tuple[bytes, int]:
    """The bytes in the current release, and where they begin."""
    writer, start = codec.split(value, "Dispatch")
    assert value is not None
    if writer is _SCHEMA:
        return value, start
    return _SCHEMA.encode(decode_body(value, start, writer)), 0

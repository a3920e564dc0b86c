"""A call as routing reads it: few of its fields, and its bytes."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from schemas import binary
from schemas.binary import Reader
from schemas.call import MAX_CALL_BYTES
from schemas.codec import Codec, Undecodable, decode_body
from schemas.released import Record, current

_CALL: Final = current("CallCompleted")
_LEADING: Final = _CALL.layout.part(last="talk_seconds")
"""What conditions look at, unless it is `leadflow`."""
_BETWEEN: Final = _CALL.layout.part("call_type", "called_number")
_REST: Final = _CALL.layout.part("talk_seconds")


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class RoutedCall:
    """The fields that routing looks at; the others are walked through: lengths, branches and the
    end are checked, texts are not looked at. One that is no UTF-8 ends where it is used, as
    `unrenderable`.

    Its bytes are `data` from `start` to the end, in the current release.
    """

    def __init__(self, data: bytes, start: int) -> None:
        """Raises ValueError, or IndexError where the bytes end."""
        self.data = data
        self.start: i64 = start
        self.end: i64 = len(data)
        reader = Reader(data, start)
        self.account_id = reader.text()
        ids: i64 = reader.at
        self.sid = reader.utf8()
        self.revision: i64 = reader.number()
        self.ids = data[ids : reader.at]
        """`sid` and `revision`, as they are written."""
        reader.skip_fields(_BETWEEN)
        self.called_e164 = reader.text()
        self.ad_group_id = reader.text()
        self.pool_id = reader.text()
        reader.skip_fields(_REST)
        if reader.at < reader.end:
            raise ValueError(f"{reader.end - reader.at} bytes are left after it")

    @property
    def body(self) -> bytes:
        """Its bytes, without header."""
        return self.data[self.start :]

    def record(self, *, whole: bool) -> Record:
        """Its fields up to `talk_seconds`, or all. Raises `Undecodable` for a text that is no
        UTF-8."""
        if whole:
            return decode_body(self.data, int(self.start), _CALL)
        try:
            return binary.read(_LEADING, self.data, int(self.start))[0]
        except binary.Malformed as error:
            raise _malformed(str(error)) from error


def read(codec: Codec, value: bytes | None) -> RoutedCall:
    """What stands in a record of `pca.calls`. Raises `Undecodable`, and `RegistryUnavailable`.

    What is cut off must end here, where its raw bytes can be kept, and not in every dispatcher
    behind.
    """
    writer, start = codec.split(value, "CallCompleted")
    assert value is not None
    if len(value) > MAX_CALL_BYTES:
        raise Undecodable("too_large", f"{len(value):,} bytes; a call may have {MAX_CALL_BYTES:,}")
    if writer is not _CALL:
        return routed(decode_body(value, start, writer))
    try:
        return RoutedCall(value, start)
    except (IndexError, ValueError) as error:
        decode_body(value, start, _CALL)  # which says of which field
        raise _malformed(str(error)) from error


def routed(call: Record) -> RoutedCall:
    """The same of a record. Raises ValueError for one that is no CallCompleted."""
    return RoutedCall(_CALL.encode(call), 0)


def _malformed(detail: str) -> Undecodable:
    return Undecodable("malformed", f"not a CallCompleted: {detail}")

"""Records of one partition that are sent together: Kafka's record batch, version 2.

What a client library does for each record, a copy, a queue, another copy, an answer, is done here
once for all records of a batch.
"""

from __future__ import annotations

import struct
from typing import Any, Final, final

import lz4.frame
from confluent_kafka import KafkaError
from google_crc32c import extend, value
from mypy_extensions import i64

from schemas.binary import Writer

OVERHEAD: Final = 61
"""Bytes of a batch without its records."""
_BLOCK: Final = 60_000
"""Bytes: a record more, and LZ4 has its 64 KiB."""
_MAGIC: Final = 2
_LZ4: Final = 3
_NO_EPOCH: Final = -1
"""Of the leader; the broker writes it."""
_OFFSET_TO_CRC: Final = struct.Struct(">qiibI")
_AFTER_CRC: Final = struct.Struct(">hiqqqhii")
_UNCOUNTED: Final = 12
"""Bytes in front of what a batch's length counts: its offset, and the length."""


@final
class RecordBatch:
    """Records in the order they were added; `close` it before the first `encode`.

    They are compressed a block at a time, while they are in the processor's cache.
    """

    __slots__ = (
        "_blocks", "_compressor", "_head", "_open", "_parts", "_timestamp", "closed",
        "count", "reports", "size",
    )  # fmt: skip

    def __init__(self) -> None:
        self._head = Writer()
        """Of one record: all but its value."""
        self._parts: list[bytes] = []
        """Of the block that is gathered."""
        self._open: i64 = 0
        """Bytes of them, about."""
        self._blocks: list[bytes] = []
        """Those that are compressed."""
        self._compressor: Any = None
        self._timestamp: i64 = 0
        self.closed = False
        """It takes no more records."""
        self.count: i64 = 0
        self.size: i64 = 0
        """Bytes of its records, before they are compressed."""
        self.reports: list[Any] = []
        """`Acks.reports` of its records' sets; held until the broker has answered."""

    def add(self, key: bytes, value: bytes, reports: Any) -> int:
        """A record without headers; `reports` are its set's. Returns its bytes."""
        if not self.reports or self.reports[-1] is not reports:
            self.reports.append(reports)
        keys: i64 = len(key)
        values: i64 = len(value)
        size: i64 = 3 + _length(self.count) + keys + _length(keys) + values + _length(values)
        head = self._head
        head.number(size)
        head.number(0)  # attributes
        head.number(0)  # time after the batch's
        head.number(self.count)
        head.number(keys)
        head.raw(key)
        head.number(values)
        self._parts.append(head.getvalue())
        self._parts.append(value)
        head.out.truncate(0)
        head.number(0)  # how many headers it has; stands in front of the next
        self.count += 1
        self.size += size
        self._open += size
        if self._open >= _BLOCK:
            self._compress()
        return int(size)

    def close(self, timestamp: int) -> None:
        """No more records; `timestamp` of all of them, milliseconds since 1970."""
        self.closed = True
        self._timestamp = timestamp
        self._parts.append(self._head.getvalue())
        if self._compressor is None:
            self._blocks.append(
                # Kafka's own consumer reads independent blocks only.
                lz4.frame.compress(b"".join(self._parts), block_linked=False, store_size=False)
            )
            self._parts.clear()
        else:
            self._compress()
            self._blocks.append(self._compressor.flush())
            self._blocks = [b"".join(self._blocks)]

    def refuse(self, error: KafkaError) -> None:
        """Tell it of each set that it has records of."""
        for reports in self.reports:
            reports(error, None)

    def _compress(self) -> None:
        if self._compressor is None:
            self._compressor = lz4.frame.LZ4FrameCompressor(block_linked=False, auto_flush=True)
            self._blocks.append(self._compressor.begin())
        self._blocks.append(self._compressor.compress(b"".join(self._parts)))
        self._parts.clear()
        self._open = 0

    def encode(self, producer_id: int, epoch: int, sequence: int) -> bytes:
        """The batch's bytes: `sequence` is its first record's."""
        (records,) = self._blocks
        count: i64 = self.count
        rest: bytes = _AFTER_CRC.pack(
            _LZ4, count - 1, self._timestamp, self._timestamp, producer_id, epoch, sequence, count
        )
        length = OVERHEAD - _UNCOUNTED + len(records)
        checksum: int = extend(value(rest), records)
        return _OFFSET_TO_CRC.pack(0, length, _NO_EPOCH, _MAGIC, checksum) + rest + records


def _length(number: i64) -> i64:
    """Bytes that `number`, at least 0, takes as a varint."""
    length: i64 = 1
    left: i64 = number >> 6
    while left:
        length += 1
        left >>= 7
    return length

"""Which partition a key belongs to: Java's default partitioner, which all our producers use."""

from __future__ import annotations

from functools import lru_cache

PARTITIONER = "murmur2"
"""librdkafka's name for the same function."""

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


def murmur2(data: bytes) -> int:
    """The 32-bit Murmur2 hash that Kafka's Java clients compute, unsigned."""
    length = len(data)
    h = (0x9747B28C ^ length) & _MASK
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if tail := data[whole:]:
        h = (h ^ int.from_bytes(tail, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


@lru_cache(maxsize=65_536)
def partition_of(key: str, count: int) -> int:
    """The partition, of `count`, that records with this key lie in."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % count

"""Record batches, read back by a decoder of the test's own."""

import struct

import lz4.frame
import pytest
from google_crc32c import value as crc32c
from hypothesis import given
from hypothesis import strategies as st

from streaming.record_batch import OVERHEAD, RecordBatch

REPORTS = object()
AROUND_A_LENGTH = [0, 1, 63, 64, 8191, 8192]
"""Sizes at which the number that tells them takes another byte."""


def built(records, identity=(7, 3), sequence=11, timestamp=1_700_000_000_000):
    batch = RecordBatch()
    for key, value in records:
        batch.add(key, value, REPORTS)
    batch.close(timestamp)
    return batch.encode(*identity, sequence)


def header_of(data):
    names = (
        "offset", "length", "epoch", "magic", "crc", "attributes", "last", "first_time",
        "last_time", "producer_id", "producer_epoch", "sequence", "count",
    )  # fmt: skip
    return dict(zip(names, struct.unpack_from(">qiibIhiqqqhii", data), strict=True))


def varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return (number >> 1) ^ -(number & 1), at


def records_of(data):
    """(offset, key, value) of each; all of their other fields are 0."""
    left, found, at = lz4.frame.decompress(data[OVERHEAD:]), [], 0
    while at < len(left):
        size, at = varint(left, at)
        end = at + size
        assert left[at] == 0  # attributes
        time, at = varint(left, at + 1)
        offset, at = varint(left, at)
        length, at = varint(left, at)
        key, at = left[at : at + length], at + length
        length, at = varint(left, at)
        value, at = left[at : at + length], at + length
        headers, at = varint(left, at)
        assert (time, headers, at) == (0, 0, end)
        found.append((offset, key, value))
    return found


@pytest.mark.parametrize("key", AROUND_A_LENGTH)
@pytest.mark.parametrize("value", AROUND_A_LENGTH)
def test_a_record_is_read_back(key, value):
    record = (b"k" * key, b"v" * value)
    assert records_of(built([record])) == [(0, *record)]


@given(st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=300)), min_size=1))
def test_records_are_read_back_in_their_order(records):
    found = records_of(built(records))
    assert found == [(n, key, value) for n, (key, value) in enumerate(records)]


@pytest.mark.parametrize("size", [1_000, 59_000, 60_000, 200_000])
def test_so_are_more_than_a_block_of_them(size):
    records = [(b"%d" % n, bytes([n % 256]) * size) for n in range(150)]
    assert [found[1:] for found in records_of(built(records))] == records


def test_the_header_tells_how_many_and_whose_they_are():
    header = header_of(built([(b"k", b"v")] * 3, (7, 3), 11, 1_700_000_000_000))
    told = {name: header[name] for name in ("magic", "attributes", "last", "count", "sequence")}
    assert told == {"magic": 2, "attributes": 3, "last": 2, "count": 3, "sequence": 11}
    assert (header["producer_id"], header["producer_epoch"]) == (7, 3)
    assert header["first_time"] == header["last_time"] == 1_700_000_000_000


def test_its_length_and_its_checksum_are_right():
    data = built([(b"k", b"v" * 70_000)] * 2)
    header = header_of(data)
    assert (header["length"], header["crc"]) == (len(data) - 12, crc32c(data[21:]))


def test_it_is_the_same_again_but_for_what_it_is_known_by():
    batch = RecordBatch()
    batch.add(b"k", b"v", REPORTS)
    batch.close(0)
    first, again, anew = batch.encode(1, 0, 5), batch.encode(1, 0, 5), batch.encode(2, 0, 0)
    assert first == again != anew
    assert records_of(first) == records_of(anew)


def test_blocks_stand_for_themselves_as_kafkas_own_consumer_wants_them():
    frame = built([(b"k", b"v" * 70_000)] * 2)[OVERHEAD:]
    assert lz4.frame.get_frame_info(frame)["block_linked"] is False

"""Java's default partitioner: its published vectors, and librdkafka's own opinion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.partitions import murmur2, partition_of

# org.apache.kafka.common.utils.UtilsTest
VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("data", "signed"), VECTORS.items())
def test_murmur2_is_javas(data, signed):
    assert murmur2(data) == signed % 2**32


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 1000))
def test_a_partition_is_one_of_those_that_exist(key, count):
    assert 0 <= partition_of(key, count) < count


def test_librdkafka_puts_records_into_the_same_partitions(topics, write, read):
    keys = ["acme", "ü", "x" * 1000, *(f"account-{n}" for n in range(40))]
    write(topics.calls, *((key, b"v") for key in keys))
    placed = {message.key().decode(): message.partition() for message in read(topics.calls)}
    assert placed == {key: partition_of(key, 3) for key in keys}

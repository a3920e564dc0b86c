"""Webhooks by HTTP/1.1 and by HTTP/2: whether they can be measured, and how they are compared."""

import pytest
from building import BUILDS

from bench import http2, testbed
from bench.http2 import PROTOCOLS, QUICK_CASES, QUICK_REQUESTS, Case, Sent

CASE = Case(0.02, 50, 512)
pytestmark = BUILDS


@pytest.fixture
def bed():
    with testbed.Testbed(pinned=False) as bed:
        yield bed


def sent(cpu_us, p99_ms, connections):
    return Sent(1000, 0, cpu_us, 0.5, 20.0, p99_ms, connections, 1_500_000)


def test_every_quick_case_is_measured_by_both_protocols(go, bed):
    result = http2.PARTS["http2"].quick(bed)
    assert result.data.keys() == {f"{case}, {each}" for case in QUICK_CASES for each in PROTOCOLS}
    for (found,) in result.data.values():
        assert (found["requests"], found["errors"]) == (QUICK_REQUESTS, 0)
        assert found["cpu_us"] > 0
    for case in QUICK_CASES:
        (first,), (second,) = (result.data[f"{case}, {each}"] for each in PROTOCOLS)
        assert second["connections"] == case.origins
        assert first["connections"] >= case.origins
        assert all(one["p50_ms"] >= case.delay * 1000 for one in (first, second))


def test_protocols_are_compared_round_by_round():
    runs = {
        (CASE, "HTTP/1.1"): [sent(50.0, 40.0, 512), sent(100.0, 40.0, 514)],
        (CASE, "HTTP/2"): [sent(100.0, 30.0, 50), sent(100.0, 20.0, 50)],
    }
    ((row,),) = (table.rows for table in http2.result(runs, []).tables)
    assert row == [
        "20 ms, 50 origins, 512 in flight",
        "75.0 (50.0 to 100.0)", "100.0 (100.0 to 100.0)", "1.50 (1.00 to 2.00)",
        "40.0 (40.0 to 40.0)", "25.0 (20.0 to 30.0)", "0.62 (0.50 to 0.75)",
        "15, 20", "513, 50", "1.5, 1.5",
    ]  # fmt: skip


def test_a_sender_that_fails_is_told_of(go, bed):
    nothing_in_flight = Case(0.0, 1, 0)
    with pytest.raises(RuntimeError, match="could not be measured"):
        http2.measure(bed, rounds=1, requests=1, cases=[nothing_in_flight])

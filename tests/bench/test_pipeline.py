from bench.calls import times
from bench.pipeline import Load, first_arrivals, latency


def load(sent, **more):
    given = {"rate": 100.0, "behind": 0.0, "drained": True, "late": 500}
    return Load(sent=sent, **{**given, **more})


def test_latency_is_from_produced_to_first_received():
    first = first_arrivals([(1, 9_000), (0, 2_000), (1, 4_000)])
    found = latency(load([(0, 0), (1, 1_000)]), first, 0.0)
    assert (found.p50, found.p999, found.calls, found.missing) == (3.0, 3.0, 2, 0)


def test_what_was_produced_in_the_warm_up_does_not_count():
    found = latency(load([(0, 0), (1, 2_000_000)]), {0: 900_000, 1: 2_001_000}, 1.0)
    assert (found.p999, found.calls) == (1.0, 1)


def test_what_never_came_is_counted_as_missing():
    assert latency(load([(0, 0), (1, 10)]), {0: 5}, 0.0).missing == 1


def test_a_pair_keeps_up_when_little_is_still_on_its_way_at_the_end():
    assert load([], behind=0.15).keeps_up
    assert not load([], behind=0.5).keeps_up
    assert not load([], drained=False).keeps_up
    assert not load([], late=80_000).keeps_up


def test_calls_come_at_random_times_at_the_rate():
    due = list(times(500.0, 20.0, 10, 1))
    assert 9_000 < len(due) < 11_000
    assert due == sorted(due)
    assert due[-1] < 20.0


def test_without_a_rate_each_account_has_one_call_at_once():
    assert list(times(0, 0, 3, 1)) == [0.0, 0.0, 0.0]

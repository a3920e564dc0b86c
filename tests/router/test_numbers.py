"""The table of an account's numbers behaves as a dict does, and takes less memory."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.numbers import MAX_SIZE, Numbers, look_up

FEW = st.integers(0, 40).map(lambda n: f"+1800{n}")
"""So few that they meet again, are removed, and stand in each other's slots."""
ANY = st.integers(0, 10**15 - 1).map(lambda n: f"+{n}")
ENTRIES = st.one_of(st.integers(0, 10_000), st.binary(max_size=40))
CHANGES = st.lists(st.tuples(st.one_of(FEW, ANY), st.one_of(st.none(), ENTRIES)), max_size=200)


@pytest.fixture
def numbers():
    return Numbers()


def changed(numbers, e164, entry):
    if entry is None:
        numbers.remove(e164)
    else:
        numbers.put(e164, entry)


@given(CHANGES)
def test_whatever_is_put_and_removed_it_says_what_a_dict_says(changes):
    numbers, wanted = Numbers(), {}
    for e164, entry in changes:
        changed(numbers, e164, entry)
        wanted.pop(e164, None)
        if entry is not None:
            wanted[e164] = entry
        assert len(numbers) == len(wanted)
    assert {e164: numbers.get(e164) for e164, _ in changes} == {
        e164: wanted.get(e164) for e164, _ in changes
    }


@given(CHANGES, CHANGES, st.lists(st.tuples(st.booleans(), st.one_of(FEW, ANY, st.text()))))
def test_many_are_looked_up_together_each_in_its_table(mine, theirs, asked):
    tables, wanted = (Numbers(), Numbers()), ({}, {})
    for table, known, changes in zip(tables, wanted, (mine, theirs), strict=True):
        for e164, entry in changes:
            changed(table, e164, entry)
            known[e164] = entry
    found = look_up([tables[which] for which, _ in asked], [e164 for _, e164 in asked])
    assert found == [wanted[which].get(e164) for which, e164 in asked]


def test_twenty_thousand_come_change_and_go(numbers):
    count = 20_000
    everything = [f"+1{2_000_000_000 + 7 * n}" for n in range(count)]
    for n, e164 in enumerate(everything):
        numbers.put(e164, n if n % 2 else b"a label %d" % n)
    for n, e164 in enumerate(everything):
        numbers.put(e164, n if n % 3 else b"another %d" % n)
    for e164 in everything[1::2]:
        numbers.remove(e164)
    assert [numbers.get(e164) for e164 in everything] == [
        None if n % 2 else n if n % 3 else b"another %d" % n for n in range(count)
    ]


@pytest.mark.parametrize("e164", ["+0", "+1", "+999999999999999", "18005550100"])
@pytest.mark.parametrize("entry", [0, 9_999, b"", b"\x00", b"a" * 20_000, b"b" * MAX_SIZE])
def test_the_outermost_are_kept_whole(numbers, e164, entry):
    numbers.put("+2", b"before")
    numbers.put(e164, entry)
    numbers.put("+3", b"behind")
    assert (numbers.get("+2"), numbers.get(e164), numbers.get("+3")) == (
        b"before", entry, b"behind",
    )  # fmt: skip


def test_an_entry_of_more_bytes_than_a_slot_can_say_is_refused_and_the_older_one_stays(numbers):
    numbers.put("+1", b"older")
    with pytest.raises(ValueError, match="more than 16,777,215 bytes"):
        numbers.put("+1", bytes(MAX_SIZE + 1))
    assert numbers.get("+1") == b"older"


@pytest.mark.parametrize("e164", ["", "+", "anonymous", "+1800555010012345", "+1 800"])
@pytest.mark.parametrize("change", [Numbers.remove, lambda n, e: n.put(e, 1)])
def test_what_is_no_number_is_refused_and_nothing_is_said_of_it(numbers, e164, change):
    with pytest.raises(ValueError, match="is no telephone number"):
        change(numbers, e164)
    assert numbers.get(e164) is None


@pytest.fixture
def memory():
    """`memory()`: bytes that this file's tests took since the test began.

    Compiled code has no lines of its own, so what it takes is its caller's. What threads of
    earlier tests take meanwhile does not count.
    """
    ours = tracemalloc.Filter(True, __file__)

    def taken():
        traces = tracemalloc.take_snapshot().filter_traces([ours]).statistics("filename")
        return sum(trace.size for trace in traces)

    tracemalloc.start()
    yield taken
    tracemalloc.stop()


def test_a_number_with_a_label_of_its_own_costs_less_than_60_bytes(memory, numbers):
    for n in range(20_000):
        numbers.put(f"+1{2_000_000_000 + n}", b"\x00\x00\x20Campaign %07d" % n)
    assert memory() / 20_000 < 60


def test_what_is_changed_again_and_again_does_not_grow(memory, numbers):
    for n in range(20_000):
        numbers.put(f"+1{2_000_000_000 + n % 100}", b"\x00\x00\x20Campaign %07d" % n)
    assert memory() < 20_000


def test_what_is_removed_gives_its_memory_back(memory, numbers):
    for n in range(20_000):
        numbers.put(f"+1{2_000_000_000 + n}", b"\x00\x00\x20Campaign %07d" % n)
    for n in range(20_000):
        numbers.remove(f"+1{2_000_000_000 + n}")
    assert (len(numbers), memory() < 20_000) == (0, True)

"""The offset tracker against a plain set, over random orders, gaps and crashes."""

from hypothesis import given
from hypothesis import strategies as st

from streaming.offsets import MAX_METADATA, OffsetTracker, decode_holes, encode_holes


def tracker(committed=0, metadata=""):
    return OffsetTracker("t", 0, committed, metadata)


def read(one, *offsets):
    return [one.read(offset) for offset in offsets]


def test_nothing_is_committed_before_anything_is_read():
    assert tracker(-1).commit() is None


def test_what_is_committed_is_the_lowest_offset_that_is_not_done():
    one = tracker()
    read(one, 0, 1, 2)
    one.complete(0, 1)
    assert one.commit() == (1, "")


def test_completions_above_a_hole_stand_in_the_metadata():
    one = tracker()
    read(one, 0, 1, 2, 3)
    one.complete(1, 2)
    one.complete(3, 4)
    offset, metadata = one.commit()
    assert (offset, decode_holes(metadata, 0)) == (0, [(1, 2), (3, 4)])


def test_an_unchanged_state_is_not_committed_twice():
    one = tracker()
    read(one, 0)
    one.complete(0, 1)
    one.commit()
    assert one.commit() is None


def test_a_successor_skips_what_its_predecessor_completed():
    one = tracker()
    read(one, 0, 1, 2, 3)
    one.complete(1, 3)
    assert read(tracker(*one.commit()), 0, 1, 2, 3) == [True, False, False, True]


def test_offsets_that_do_not_exist_do_not_hold_the_base_back():
    one = tracker(5)
    read(one, 9)
    one.complete(9, 10)
    assert one.commit() == (10, "")


def test_a_topic_created_anew_starts_the_tracker_anew():
    one = tracker(100)
    read(one, 3)
    one.complete(3, 4)
    assert one.commit() == (4, "")


def test_metadata_for_another_offset_is_not_believed():
    assert decode_holes(encode_holes(7, [(9, 10)]), 8) == []


def test_an_empty_partition_with_done_offsets_ahead_is_not_advanced_past_the_unread():
    one = tracker(0, encode_holes(0, [(2, 4)]))
    assert one.commit() is None


@given(st.text())
def test_any_text_as_metadata_is_understood_or_ignored(text):
    assert decode_holes("h1:0:" + text, 0) == sorted(decode_holes("h1:0:" + text, 0))
    decode_holes(text, 0)


@given(st.integers(0, 2**40), st.lists(st.tuples(st.integers(1, 300), st.integers(1, 10**6))))
def test_holes_survive_the_metadata_unless_it_is_full(base, lengths):
    runs, position = [], base
    for gap, length in lengths:
        runs.append((position + gap, position + gap + length))
        position += gap + length
    metadata = encode_holes(base, runs)
    assert decode_holes(metadata, base) == runs


def test_metadata_is_never_longer_than_kafka_keeps_and_keeps_the_nearest_runs():
    runs = [(2 * i + 1, 2 * i + 2) for i in range(5000)]
    metadata = encode_holes(0, runs)
    kept = decode_holes(metadata, 0)
    assert len(metadata) <= MAX_METADATA
    assert kept == runs[: len(kept)]
    assert len(kept) > 1500


@given(st.data())
def test_through_any_order_gaps_and_crashes_nothing_is_lost_and_nothing_done_is_repeated(data):
    existing = sorted(data.draw(st.sets(st.integers(0, 60), min_size=1)))
    done: set[int] = set()
    position = (data.draw(st.sampled_from([-1, 0])), "")
    for _ in range(data.draw(st.integers(1, 4))):
        one = tracker(*position)
        pending = []
        for offset in existing[: data.draw(st.integers(0, len(existing)))]:
            if offset < position[0]:
                continue
            wanted = one.read(offset)
            # What the committed metadata told of is never asked for again, all else is.
            assert wanted == (offset not in done)
            if wanted:
                pending.append(offset)
            if pending and data.draw(st.booleans()):
                finished = pending.pop(data.draw(st.integers(0, len(pending) - 1)))
                one.complete(finished, finished + 1)
                done.add(finished)
        assert one.in_hand == len(pending)
        committed = one.commit()
        if committed:
            position = committed
            assert all(offset in done for offset in existing if offset < committed[0])
        assert len(position[1]) <= MAX_METADATA
    last = tracker(*position)
    for offset in existing:
        if offset >= position[0] and last.read(offset):
            last.complete(offset, offset + 1)
            done.add(offset)
    assert done == set(existing)
    last.commit()

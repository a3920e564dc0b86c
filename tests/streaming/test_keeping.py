"""What cannot be done is kept as it came."""

from types import SimpleNamespace

from streaming.keeping import CUT, keep


def kept(value, limit):
    """The value and the headers that are written for a record with that value."""
    sent = []
    producer = SimpleNamespace(send=lambda *args, **rest: sent.append((args, rest)))
    message = SimpleNamespace(
        key=lambda: b"k", value=lambda: value, topic=lambda: "t", partition=lambda: 1,
        offset=lambda: 7,
    )  # fmt: skip
    keep(producer, "kept", message, None, reason="malformed", detail="why", limit=limit)
    ((_, key, written, _), rest) = sent[0]
    assert key == b"k"
    return written, dict(rest["headers"])


def test_a_record_is_kept_with_its_place_and_the_reason():
    assert kept(b"abc", 3) == (
        b"abc",
        {"reason": "malformed", "detail": "why", "topic": "t", "partition": "1", "offset": "7"},
    )


def test_one_that_the_topic_would_not_take_is_cut_and_says_how_large_it_was():
    value, headers = kept(b"x" * (CUT + 1), CUT)
    assert (len(value), headers["truncated"]) == (CUT, str(CUT + 1))


def test_none_stays_none():
    assert kept(None, 3)[0] is None

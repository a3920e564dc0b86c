"""What cannot be done is kept as it came."""

from types import SimpleNamespace

from streaming.keeping import CUT, keep


def kept(value, limit, key=b"k"):
    """The value and the headers that are written for a record with that value, and its key."""
    sent = []
    producer = SimpleNamespace(send=lambda *args, **rest: sent.append((args, rest)))
    message = SimpleNamespace(
        key=lambda: key, value=lambda: value, topic=lambda: "t", partition=lambda: 1,
        offset=lambda: 7,
    )  # fmt: skip
    keep(producer, "kept", message, None, reason="malformed", detail="why", limit=limit)
    ((_, kept_key, written, _), rest) = sent[0]
    assert key is None or key.startswith(kept_key)
    return written, dict(rest["headers"]), kept_key


def test_a_record_is_kept_with_its_place_and_the_reason():
    assert kept(b"abc", 3) == (
        b"abc",
        {"reason": "malformed", "detail": "why", "topic": "t", "partition": "1", "offset": "7"},
        b"k",
    )


def test_one_that_the_topic_would_not_take_is_cut_and_says_how_large_it_was():
    value, headers, _ = kept(b"x" * (CUT + 1), CUT)
    assert (len(value), headers["truncated"]) == (CUT, str(CUT + 1))


def test_none_stays_none():
    assert kept(None, 3)[0] is None


def test_a_key_of_megabytes_is_cut_too_and_says_so():
    value, headers, key = kept(b"abc", 3, key=b"k" * (9 * CUT))
    assert (value, len(key), headers["truncated-key"]) == (b"abc", CUT, str(9 * CUT))


def test_no_key_stays_no_key():
    assert kept(b"abc", 3, key=None)[2] is None

"""What is worth a log line."""

import logging

from streaming.logs import REPEAT_SECONDS, _OncePerWhile


def record(message, logger="streaming.producer"):
    return logging.LogRecord(logger, logging.WARNING, "", 0, message, None, None)


def test_librdkafka_says_the_same_thing_once_in_a_while():
    now = [0.0]
    once = _OncePerWhile(lambda: now[0])
    said = []
    for now[0] in (0.0, 0.1, REPEAT_SECONDS - 0.1, REPEAT_SECONDS + 0.1):
        said.append(once.filter(record("FAIL [pca-router#producer-3] [thrd:x]: refused")))
    assert said == [True, False, False, True]


def test_another_event_and_another_client_are_heard_meanwhile():
    once = _OncePerWhile(lambda: 0.0)
    assert once.filter(record("FAIL [a] [b]: c"))
    assert once.filter(record("SESSTMOUT [a] [b]: c"))
    assert once.filter(record("FAIL [a] [b]: c", "streaming.consumer"))


def test_our_own_lines_are_never_held_back():
    once = _OncePerWhile(lambda: 0.0)
    assert all(once.filter(record("assigned")) for _ in range(3))

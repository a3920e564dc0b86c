"""What an attempt record tells, and what it must not."""

import pytest

from dispatcher.transport import Answer, TransportError


@pytest.fixture
def attempt(sender):
    """`await attempt(answer, target_url)`: the Attempt record of one try."""

    async def build(answer, target_url="http://h/", one_action=None):
        one = sender()
        one.transport.answer = answer
        await one.take(one.flight(action=one_action))
        assert one.consumer.failures == []
        (record,) = one.written(one.topics.attempts)
        return record

    return build


async def test_d28_authorization_is_masked(attempt, action):
    record = await attempt(Answer(200, {}, b""), one_action=action("http://u:secret@h/?a=1"))
    assert record["request_headers"]["Authorization"] == "***"
    assert (record["url"], "secret" in str(record)) == ("http://h/?a=1", False)


async def test_cookies_that_a_server_sets_are_masked(attempt):
    record = await attempt(Answer(200, {"Set-Cookie": "s=1", "X": "y"}, b""))
    assert record["response_headers"] == {"Set-Cookie": "***", "X": "y"}


async def test_the_form_that_was_sent_is_kept(attempt, action):
    one = action(method="POST", parameters={"sid": "sid"})
    record = await attempt(Answer(200, {}, b""), one_action=one)
    assert (record["method"], record["request_body"]) == ("POST", "sid=s-1")


INVALID = b"caf\xe9 \xff".decode("utf-8", "surrogateescape")


async def test_invalid_bytes_in_a_servers_header_stop_nothing(attempt):
    record = await attempt(Answer(200, {f"X-{INVALID}": INVALID}, b""))
    assert record["response_headers"] == {"X-caf? ?": "caf? ?"}


async def test_any_bytes_in_a_body_are_kept(attempt):
    assert (await attempt(Answer(200, {}, b"\xff\x00")))["response_body"] == b"\xff\x00"


async def test_invalid_bytes_in_an_error_stop_nothing(attempt):
    record = await attempt(TransportError("protocol", f"bad line {INVALID}"))
    assert record["error_detail"] == "bad line caf? ?"


async def test_an_endless_header_is_cut(attempt):
    record = await attempt(Answer(200, {"X": "y" * 100_000}, b""))
    assert len(record["response_headers"]["X"]) == 16 * 1024


async def test_a_status_beyond_all_standards_is_kept(attempt):
    assert (await attempt(Answer(799, {}, b"")))["status"] == 799

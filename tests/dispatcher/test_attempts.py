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


SECRET_HEADERS = ["X-Api-Key", "Authorization", "x-auth-token", "Client-Secret", "Cookie"]


@pytest.mark.parametrize("name", SECRET_HEADERS)
async def test_custom_headers_that_hold_secrets_are_masked(attempt, action, name):
    headers = [{"name": name, "value": "very-secret"}, {"name": "X-Plain", "value": "shown"}]
    record = await attempt(Answer(200, {}, b""), one_action=action(headers=headers))
    assert "very-secret" not in str(record)
    assert (record["request_headers"][name], record["request_headers"]["X-Plain"]) == (
        "***", "shown",
    )  # fmt: skip


@pytest.mark.parametrize("name", [*SECRET_HEADERS, "X-Plain"])
async def test_secret_headers_that_a_server_sends_are_masked(attempt, name):
    record = await attempt(Answer(200, {name: "v"}, b""))
    assert record["response_headers"] == {name: "v" if name == "X-Plain" else "***"}


async def test_an_api_secret_that_an_answer_repeats_is_masked(attempt):
    echoed = "https://g.example/mp/collect?measurement_id=G-1&api_secret=very-secret&x=1"
    answer = Answer(302, {"Location": echoed}, f'<a href="{echoed}">'.encode())
    record = await attempt(answer)
    assert "very-secret" not in str(record)
    assert record["response_headers"]["Location"].endswith("api_secret=***&x=1")
    assert record["response_body"].endswith(b'api_secret=***&x=1">')


@pytest.mark.parametrize(
    "quoted", ["https://user:very-secret@h.example/", "http://h/?api_secret=very-secret"]
)
async def test_an_error_that_quotes_a_url_quotes_no_secret(attempt, quoted):
    record = await attempt(TransportError("protocol", f"cannot use {quoted!r}"))
    assert "very-secret" not in record["error_detail"]
    assert "***" in record["error_detail"]

"""What an attempt record tells, and what it must not."""

import pytest

from dispatcher.attempts import Try
from dispatcher.attempts import attempt as written
from dispatcher.outcome import Outcome
from dispatcher.request import Request
from dispatcher.shared_headers import SharedHeaders
from dispatcher.transport import Answer, Trace, TransportError
from dispatcher.transport.known_heads import KnownHead
from schemas import binary
from schemas.codec import decode_body
from schemas.released import current


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


FROM_DISPATCH = (
    "account_id", "dispatch_id", "action_id", "sid", "revision", "attempt", "config_version",
    "action_version",
)  # fmt: skip


@pytest.mark.parametrize("answered", [True, False])
async def test_every_field_of_a_record_has_its_own_value(sender, answered):
    flight = sender().flight(
        {"sid": "s-9"}, attempt=3, revision=4, config_version=5, action_version=6
    )
    trace = Trace("192.0.2.1:80", resent=answered)
    trace.reused = not answered
    trace.dns_us, trace.connect_us, trace.tls_us, trace.first_byte_us = 7, 8, 9, None
    answer = Answer(299, {"A": "b"}, b"said", trace) if answered else None
    shared = SharedHeaders({"X": "y", "Cookie": "c"})
    request = Request("POST", "http://h/p", {"webhook-id": "w"}, b"body", shared=shared)
    outcome = Outcome("retry", "5s", -(2**62))
    one = Try(flight, 10, 2**40, request, answer, trace, "status", "why", outcome, "opened")
    value = written(one, b"head")
    schema = current("Attempt")
    assert value[:4] == b"head"
    assert binary.end_of(schema.layout, value, 4) == len(value)
    assert decode_body(value, 4, schema) == {
        **{name: flight.dispatch[name] for name in FROM_DISPATCH},
        "started_at": 10, "duration_us": 2**40, "dns_us": 7, "connect_us": 8, "tls_us": 9,
        "first_byte_us": None, "address": "192.0.2.1:80", "method": "POST", "url": "http://h/p",
        "request_headers": {"webhook-id": "w", "X": "y", "Cookie": "***"}, "request_body": "body",
        "status": 299 if answered else None, "response_headers": {"A": "b"} if answered else {},
        "response_body": b"said" if answered else b"", "outcome": "retry", "error": "status",
        "error_detail": "why", "next_at": -(2**62), "fault": "customer", "reused": not answered,
        "resent": answered, "endpoint": "opened",
    }  # fmt: skip
    assert len({flight.dispatch[name] for name in FROM_DISPATCH}) == len(FROM_DISPATCH)


@pytest.mark.parametrize("parameters", [{}, {"n": "sid"}, {"api_secret": "sid"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("secrets", [[], ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]])
@pytest.mark.parametrize("headers", [[], [{"name": "traceparent", "value": "mine"}]])
async def test_an_actions_request_is_told_as_any_other_would_be(
    sender, action, parameters, method, secrets, headers
):
    one = action("http://h/?api_secret=x", parameters=parameters, method=method,
                 signing_secrets=secrets, headers=headers)  # fmt: skip
    flight = sender().flight({"sid": "very-secret"}, action=one)
    made = flight.request(1_782_914_602_999_999)
    same = Request(made.method, made.url, made.own_headers, made.body, made.tls, made.shared)
    told = [
        written(Try(flight, 10, 20, request, None, Trace(), "", "", Outcome("delivered"), ""), b"")
        for request in (made, same)
    ]
    assert told[0] == told[1]
    shown = decode_body(told[0], 0, current("Attempt"))["url"]
    assert ("very-secret" in shown) == (method == "GET" and "n" in parameters)


@pytest.mark.parametrize("secret", ["", "very-secret"])
async def test_an_answer_whose_head_is_known_is_told_as_any_other(sender, action, secret):
    headers = [{"name": "X-Api-Key", "value": secret}] if secret else []
    flight = sender().flight(action=action(headers=headers))
    request = flight.request(0)
    said = {"X-Echo": secret, "Set-Cookie": "s=1", "Location": "http://u:p@h/?api_secret=x"}
    known = KnownHead(200, said, 2)
    told = {
        written(Try(flight, 1, 2, request, answer, Trace(), "", "", Outcome("delivered"), ""), b"")
        for answer in (Answer(200, said, b"ok"), *[Answer(200, said, b"ok", None, known)] * 2)
    }
    assert len(told) == 1
    assert b"very-secret" not in told.pop()


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

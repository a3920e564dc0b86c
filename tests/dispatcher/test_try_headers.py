"""What every request tells of itself: which dispatch, which attempt, when, and its trace."""

import re

import pytest

from dispatcher.headers import try_headers
from dispatcher.render import Unsendable, compile_action
from dispatcher.request import DEFAULT_TLS, Tls

NOW = 1_782_914_602_999_999
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")


@pytest.fixture
def sent(action, dispatch):
    """`sent(attempt=2)`: the headers of a request."""

    def build(now=NOW, one=None, **fields):
        one = one or action()
        return compile_action(one).request(dispatch(action=one, **fields), now).headers

    return build


def span(headers):
    return TRACEPARENT.fullmatch(headers["traceparent"])[2]


def test_the_time_of_the_try_is_told_in_whole_seconds(sent):
    assert sent()["webhook-timestamp"] == "1782914602"


def test_the_attempt_is_counted(sent):
    assert [sent(attempt=n)["webhook-attempt"] for n in (1, 2, 8)] == ["1", "2", "8"]


def test_the_trace_is_the_dispatch(sent, dispatch):
    trace = TRACEPARENT.fullmatch(sent()["traceparent"])[1]
    assert trace == dispatch()["dispatch_id"].replace("-", "")


def test_every_try_is_a_span_of_its_own(sent):
    spans = {span(sent(NOW + us, attempt=n)) for us in range(20) for n in range(1, 20)}
    assert len(spans) == 20 * 19


@pytest.mark.parametrize(("now", "attempt"), [(0, 0), (0, 256), (-1, 1), (2**63 - 1, 2**31)])
def test_the_span_of_a_foreign_producers_idea_of_time_is_one_too(sent, now, attempt):
    assert span(sent(now, attempt=attempt)) != "0" * 16


@pytest.mark.parametrize("id_", ["d-1", "0" * 32, "4F1C0F6E4C2A4C2A9A3E0C5F3A1D7B42", "x" * 100])
def test_an_id_that_is_no_uuid_has_a_trace_of_its_own(id_):
    headers = try_headers(id_.encode(), 1, NOW).headers()
    assert headers["webhook-id"] == id_
    assert TRACEPARENT.fullmatch(headers["traceparent"])[1] != "0" * 32


@pytest.mark.parametrize("id_", ["", "a.1", "a\r\nX: 1", "a b", "é", "x" * 101, "a\n"])
def test_what_could_be_more_than_an_id_is_not_sent(id_):
    with pytest.raises(Unsendable) as refused:
        try_headers(id_.encode(), 1, NOW)
    assert refused.value.error == "unrenderable"


@pytest.mark.parametrize("name", ["traceparent", "Traceparent", "TRACEPARENT"])
def test_an_action_that_sets_its_own_trace_sends_that_alone(sent, action, name):
    one = action(headers=[{"name": name, "value": "mine"}])
    headers = sent(one=one)
    assert [v for n, v in headers.items() if n.lower() == "traceparent"] == ["mine"]


def test_tls_goes_along_and_is_the_same_for_every_request(action, dispatch):
    fields = {"verify": True, "ca": "CA", "client_certificate": "C", "client_key": "K"}
    one = compile_action(action("https://h/", tls=fields))
    first, second = (one.request(dispatch(), NOW) for _ in range(2))
    assert first.tls == Tls(**fields)
    assert first.tls is second.tls
    assert "K" not in repr(first.tls).replace("client_key", "")


def test_without_any_it_is_the_usual_one(action, dispatch):
    assert compile_action(action()).request(dispatch(), NOW).tls is DEFAULT_TLS

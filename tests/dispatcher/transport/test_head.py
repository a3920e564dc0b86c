"""A request's URL and headers as bytes on the wire."""

import pytest

from dispatcher.render import compile_action
from dispatcher.request import DEFAULT_TLS, Outline, Request, Tls
from dispatcher.shared_headers import NONE_SHARED
from dispatcher.transport import TransportError
from dispatcher.transport.head import head, outlined_head
from dispatcher.transport.origin import Origins


@pytest.fixture
def origins():
    return Origins()


URLS = {
    "http://a.example": ("a.example", 80, "/", "a.example"),
    "http://a.example/": ("a.example", 80, "/", "a.example"),
    "http://a.example?x=1/2": ("a.example", 80, "/?x=1/2", "a.example"),
    "http://a.example/?": ("a.example", 80, "/?", "a.example"),
    "https://a.example:8443/p?q": ("a.example", 8443, "/p?q", "a.example:8443"),
    "https://a.example:443/p": ("a.example", 443, "/p", "a.example"),
    "http://a.example:443/p": ("a.example", 443, "/p", "a.example:443"),
    "http://a.example:/p": ("a.example", 80, "/p", "a.example"),
    "HTTP://A.Example/P": ("a.example", 80, "/P", "a.example"),
    "http://a.example./p": ("a.example", 80, "/p", "a.example"),
    "http://[2001:DB8::1]:81/": ("2001:db8::1", 81, "/", "[2001:db8::1]:81"),
    "http://[fe80::1%25eth0]/": ("fe80::1%eth0", 80, "/", "[fe80::1]"),
    "http://a.example/p#part": ("a.example", 80, "/p", "a.example"),
    "http://a.example/%7e/../?a=%zz&b={c}|\"^`<>\\": (
        "a.example", 80, "/%7e/../?a=%zz&b={c}|\"^`<>\\", "a.example",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("url", "expected"), URLS.items(), ids=URLS)
def test_a_url_is_taken_apart_and_nothing_in_it_changed(origins, url, expected):
    for _ in range(2):  # the second time it is known
        origin, target = origins.split(url)
        name = origin.host_line.split("Host: ")[1].strip()
        assert (origin.host, origin.port, target, name) == expected


@pytest.mark.parametrize(
    "url",
    [
        "", "a.example/", "ftp://a.example/", "http://", "http:///p", "http://:80/", "http://./",
        "http://a.example:99999/", "http://a.example:x/", "http://user:secret@a.example/",
        "http://a b/", "http://a<b>/", "http://%61.example/", "http://\xe4.example/",
        "http://[::1/", "http://[::g]/", "http://[1.2.3.4]/", "http://a.example/\xe4",
        "http://a.example/ b", "http://a.example/\r\nX: y", "http://a.example/\x7f",
        "http://a.example\\@b.example/",
    ],
)  # fmt: skip
def test_what_is_no_encoded_url_is_refused_without_quoting_it(origins, url):
    with pytest.raises(TransportError, match=r"^the URL") as refused:
        origins.split(url)
    assert refused.value.error == "protocol"
    assert "secret" not in str(refused.value)


def test_origins_are_shared_by_all_spellings_and_kept_apart_by_tls(origins):
    plain, _ = origins.split("https://a.example/1")
    assert origins.split("https://A.example.:443/2")[0] is plain
    other = Tls(verify=False)
    assert origins.split("https://a.example/1", other)[0] is not plain
    assert (
        origins.split("https://a.example/1", Tls(verify=False))[0]
        is (origins.split("https://a.example/1", other)[0])
    )


def made(headers, method="GET", body=None):
    origin, target = Origins().split("http://a.example/p?q")
    return head(Request(method, "", headers, body, DEFAULT_TLS), origin, target)


def test_a_head_is_the_request_line_the_host_and_what_was_asked_for():
    assert made({"A": "b", "c": ""}) == (
        b"GET /p?q HTTP/1.1\r\nHost: a.example\r\nA: b\r\nc: \r\n\r\n"
    )


@pytest.mark.parametrize("url", ["http://a.example", "http://h/p?a=1", "https://H.:8443/p?a&"])
@pytest.mark.parametrize("parameters", [{}, {"n": "sid", "ä": "click_id"}])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("secrets", [[], ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]])
@pytest.mark.parametrize("headers", [[], [{"name": "Traceparent", "value": "mine"}]])
def test_an_actions_request_has_the_head_that_any_other_would_have(
    origins, action, dispatch, url, parameters, method, secrets, headers
):
    one = action(url, parameters=parameters, method=method, signing_secrets=secrets,
                 headers=headers)  # fmt: skip
    made = compile_action(one).request(dispatch({"click_id": "ü &"}), 1_782_914_602_999_999)
    same = Request(made.method, made.url, made.own_headers, made.body, made.tls, made.shared)
    origin, target = origins.split(made.url, made.tls)
    place = origins.place(made.outline)
    assert place.origin is origin
    assert outlined_head(made, place) == head(same, origin, target)


@pytest.mark.parametrize("method", ["GET /", "G\r\nT"])
def test_an_outline_is_checked_as_a_request_is(origins, method):
    outline = Outline(method, "http://h/", "", DEFAULT_TLS, NONE_SHARED)
    with pytest.raises(TransportError):
        origins.place(outline)


def test_an_outline_that_is_no_url_is_refused(origins):
    outline = Outline("GET", "http://a b/", "", DEFAULT_TLS, NONE_SHARED)
    with pytest.raises(TransportError, match=r"^the URL"):
        origins.place(outline)


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", b"abc", b"3"), ("POST", b"", b"0"), ("POST", None, b"0"), ("GET", b"ab", b"2")],
)
def test_a_body_is_announced(method, body, length):
    assert b"\r\nContent-Length: %b\r\n\r\n" % length in made({}, method, body)


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "b\r\nX: y"}, {"A": "b\n"}, {"A": "\r"}, {"A": "b\0"}, {"A\r\nB": "c"}, {"A ": "b"},
        {"": "b"}, {"A:": "b"}, {"\xe4": "b"}, {"A": "\xe4"}, {"A": "\u0142"}, {"A": "\ud800"},
        {"Host": "b"}, {"content-length": "1"}, {"Transfer-Encoding": "chunked"},
        {"Connection": "close"}, {"A": "b\u2028\r"},
    ],
)  # fmt: skip
def test_a_header_that_would_say_something_else_is_never_made(headers):
    with pytest.raises(TransportError) as refused:
        made(headers)
    assert refused.value.error == "protocol"


@pytest.mark.parametrize("method", ["", "GET /", "G\r\nT", "GET\0"])
def test_a_method_is_a_word(method):
    with pytest.raises(TransportError):
        made({}, method)

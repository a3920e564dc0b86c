"""What a request holds: D20 to D33, each by name."""

import base64

import pytest

from dispatcher.render import MAX_URL, USER_AGENT, Unsendable, compile_action

FROM = {"from": "caller_id"}


def test_d20_dynamic_parameters_follow_the_static_ones_in_their_order(request_for):
    parameters = {"z": "sid", "a": "call_type", "m": "caller_id"}
    request = request_for("http://h/?s=1", parameters, sid="x", caller_id="anonymous")
    assert request.url == "http://h/?s=1&z=x&a=Inbound&m=anonymous"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    "static",
    [
        "a=1&b=%7e&c=%2F/&d=a+b%20c",
        "a=%zz&b=100%&c",
        "=&==&&a",
        "x=?&y=/?:@!$'()*,;",
        "q={braces}&p=%tokens%",
        "a[]=1&a[]=2&a=1",
        'j={"a":"b"}|^`\\<>',
        "%E2%82%AC=%e2%82%ac",
    ],
)
def test_d21_static_parameters_stay_byte_for_byte(request_for, static, method):
    url = f"http://example.com/a%2Fb/../c;p=1/?{static}"
    assert request_for(url, FROM, method).url.startswith(url)


def test_d22_post_keeps_static_parameters_in_the_query_and_sends_the_others_as_a_form(request_for):
    request = request_for("http://h/?s=1", {"sid": "sid"}, "POST", sid="a b&c")
    assert (request.url, request.body) == ("http://h/?s=1", b"sid=a+b%26c")


def test_d22_put_is_sent_as_post_is(request_for):
    post, put = (request_for("http://h/?s=1", FROM, m, caller_id="x") for m in ("POST", "PUT"))
    assert (put.method, put.url, put.body) == ("PUT", post.url, post.body)
    assert put.headers.keys() == post.headers.keys()


def test_d22_a_form_says_that_it_is_one(request_for):
    request = request_for(parameters=FROM, method="POST")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_d23_get_has_all_in_the_query_and_no_body(request_for):
    request = request_for("http://h/p", {"sid": "sid"}, sid="x")
    assert (request.url, request.body) == ("http://h/p?sid=x", None)


def test_d24_values_are_percent_encoded_utf8_with_plus_for_space(request_for):
    request = request_for("http://h/", {"näme [1]": "sid"}, sid="a b/€&=%+\x00\r\n")
    expected = "http://h/?n%C3%A4me+%5B1%5D=a+b%2F%E2%82%AC%26%3D%25%2B%00%0D%0A"
    assert request.url == expected


@pytest.mark.parametrize("broken", ["\ud83d", "a\ud83db"])
def test_d24_unpaired_surrogates_become_the_replacement_character(action, dispatch, broken):
    one, record = action(parameters={"sid": "sid"}), dispatch()
    record["call"]["sid"] = record["sid"] = broken
    assert "%EF%BF%BD" in compile_action(one).request(record, 0).url


def test_d24_a_surrogate_pair_becomes_its_character(action, dispatch):
    one, record = action(parameters={"sid": "sid"}), dispatch()
    record["call"]["sid"] = "\ud83d\ude00"
    assert compile_action(one).request(record, 0).url.endswith("sid=%F0%9F%98%80")


def test_d25_a_value_that_the_call_does_not_have_is_a_key_with_an_empty_value(request_for):
    assert request_for("http://h/", FROM).url == "http://h/?from="


def test_d26_a_measured_zero_is_not_empty(request_for):
    url = request_for("http://h/", {"t": "talk_minutes"}, talk_seconds=0).url
    assert url == "http://h/?t=0.0"


@pytest.mark.parametrize(
    ("userinfo", "credentials"),
    [
        ("user:secret", b"user:secret"),
        ("user", b"user:"),
        (":secret", b":secret"),
        ("us%40er:s%3Ae%2Fc", b"us@er:s:e/c"),
        ("user:a:b", b"user:a:b"),
        ("a@b:c", b"a@b:c"),
        ("ü:ß", "ü:ß".encode()),
    ],
)
def test_d28_userinfo_becomes_an_authorization_header(request_for, userinfo, credentials):
    request = request_for(f"http://{userinfo}@example.com/p")
    basic = request.headers["Authorization"].removeprefix("Basic ")
    assert (request.url, base64.b64decode(basic)) == ("http://example.com/p", credentials)


def test_d28_without_userinfo_there_is_no_authorization(request_for):
    assert "Authorization" not in request_for().headers


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h", "http://h/?from="),
        ("http://h/", "http://h/?from="),
        ("http://h?", "http://h/?from="),
        ("http://h/?", "http://h/?from="),
        ("http://h/?a=1", "http://h/?a=1&from="),
        ("http://h/?a=1&", "http://h/?a=1&from="),
        ("http://h/?&", "http://h/?&from="),
        ("http://h/?a=?", "http://h/?a=?&from="),
        ("http://h/??", "http://h/??&from="),
        ("http://h:8080?a", "http://h:8080/?a&from="),
        ("http://[::1]:80/p", "http://[::1]:80/p?from="),
        ("http://h//a//?x", "http://h//a//?x&from="),
    ],
)
def test_d29_the_query_joins_cleanly(request_for, url, expected):
    assert request_for(url, FROM).url == expected


@pytest.mark.parametrize("url", ["http://u:secret@h/a b", "http://u:sec/ret@h/", "http://u:s@[::1"])
def test_d28_userinfo_is_never_told_in_an_error(action, url):
    with pytest.raises(Unsendable) as refused:
        compile_action(action(url))
    assert "sec" not in str(refused.value)
    assert "u:" not in str(refused.value)


def test_d29_a_get_without_parameters_is_the_url_as_typed(request_for):
    assert request_for("http://h/p?").url == "http://h/p?"


@pytest.mark.parametrize(
    ("host", "ascii_"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("例え.テスト:8443", "xn--r8jz45g.xn--zckzah:8443"),
    ],
)
def test_d29_an_international_host_becomes_ascii(request_for, host, ascii_):
    assert request_for(f"https://{host}/p").url == f"https://{ascii_}/p"


def test_d29_what_is_not_ascii_in_path_and_query_is_percent_encoded(request_for):
    assert request_for("http://h/ü?ö=%C3%A4ä").url == "http://h/%C3%BC?%C3%B6=%C3%A4%C3%A4"


def test_d32_braces_and_tokens_are_left_alone(request_for):
    url = "http://h/{sid}/%sid%?a={caller_id}&b=%caller_id%"
    assert request_for(url, {"sid": "sid"}, sid="x").url == url + "&sid=x"


def test_d33_a_get_of_8000_characters_is_sent(request_for):
    fixed = len("http://h/?sid=")
    assert len(request_for("http://h/", {"sid": "sid"}, sid="x" * (MAX_URL - fixed)).url) == 8000


def test_d33_a_longer_get_is_not_sent(request_for):
    with pytest.raises(Unsendable) as refused:
        request_for("http://h/", {"sid": "sid"}, sid="x" * MAX_URL)
    assert refused.value.error == "url_too_long"


def test_d33_the_length_counts_after_encoding(request_for):
    with pytest.raises(Unsendable) as refused:
        request_for("http://h/", {"sid": "sid"}, sid="€" * 1000)
    assert refused.value.error == "url_too_long"


def test_d33_very_long_static_parameters_count_too(request_for):
    static = "http://h/?s=" + "x" * (MAX_URL - len("http://h/?s="))
    assert request_for(static).url == static
    with pytest.raises(Unsendable):
        request_for(static, FROM)


def test_d33_a_post_may_be_longer(request_for):
    body = request_for("http://h/", {"sid": "sid"}, "POST", sid="x" * MAX_URL).body
    assert len(body) == MAX_URL + len("sid=")


def test_a_post_without_parameters_has_an_empty_body(request_for):
    assert request_for(method="POST").body == b""


def test_every_request_carries_the_dispatch_id_and_says_who_sends(action, dispatch):
    one, record = action(), dispatch()
    headers = compile_action(one).request(record, 0).headers
    sent = (headers["webhook-id"], headers["User-Agent"])
    assert sent == (record["dispatch_id"], USER_AGENT)


def test_one_request_does_not_change_the_headers_of_the_next(action, dispatch):
    compiled = compile_action(action())
    compiled.request(dispatch(), 0).own_headers["x"] = "y"
    assert "x" not in compiled.request(dispatch(), 0).headers


@pytest.mark.parametrize(
    "fields",
    [
        {"option": "carrier_pigeon"},
        {"method": "PATCH"},
        {"body": "carrier_pigeon"},
        {"method": ""},
        {"parameters": {"x": "moon_phase"}},
    ],
)
def test_what_this_version_does_not_know_is_unsendable(action, fields):
    with pytest.raises(Unsendable) as refused:
        compile_action(action(**fields))
    assert refused.value.error == "unsupported"


HOPELESS = [
    "http://[::1/",
    "http://ä..example/",
    "http://" + "ä" * 70 + ".example/",
    "http://h\u2100.example/",
    "http://h:99999/",
    "http://h:port/",
    "",
    "no url",
    "ftp://example.com/",
    "http://",
    "http:///path",
    "http://h/a b",
    "http://h/#fragment",
    "http://h/\x00",
    "http://h/\r\nX-Injected: 1",
    "http://h/?a=\r\nX-Injected: 1",
    "http://h\n/",
    "http://h /",
    "http://u:p\r\n@h/",
]


@pytest.mark.parametrize("url", HOPELESS)
def test_a_target_url_that_cannot_be_called_is_unsendable_and_stops_nobody(action, url):
    with pytest.raises(Unsendable) as refused:
        compile_action(action(url))
    assert refused.value.error == "unrenderable"


def test_a_value_that_cannot_be_written_makes_one_dispatch_unsendable(action, dispatch):
    one, record = action(parameters={"sid": "sid"}), dispatch()
    record["call"]["sid"] = None
    with pytest.raises(Unsendable) as refused:
        compile_action(one).request(record, 0)
    assert refused.value.error == "unrenderable"


@pytest.mark.parametrize("moment", [2**62, -(2**62), 253402300800 * 10**6])
def test_a_time_beyond_every_calendar_stops_nobody(request_for, moment):
    assert request_for("http://h/", {"t": "date_time"}, started_at=moment).url == "http://h/?t="

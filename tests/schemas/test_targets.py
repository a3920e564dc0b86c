"""The Target URL: what is refused when saved, and that all else is kept as typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refused import call_detail, refused

from dispatcher.target import target
from schemas.configuration import Action
from schemas.targets import static_names


def why(url: str) -> str:
    return refused(Action, call_detail(target_url=url))["target_url"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.com/a#b", "holds a fragment (#…), which is never sent"),  # D27
        ("https://example.com/#", "holds a fragment"),  # D27
        ("https://example.com/a\nb", "holds a control character"),  # D29
        ("https://example.com/\x7f", "holds a control character"),  # D29
        ("https://example.com/\x85", "holds a control character"),  # D29
        ("https://example.com/a b", "holds a space; write 'https://example.com/a%20b'"),  # D29
        ("https://e.com/?a=b c", "holds a space; write 'https://e.com/?a=b%20c'"),  # D29
        (" https://example.com/", "holds a space at its start or end; remove it"),  # D29
        ("https://example.com/\u3000", "holds a space at its start or end; remove it"),
        ("ftp://example.com/", "must start with http:// or https://"),
        ("example.com/handler", "must start with http:// or https://"),
        ("javascript:alert(1)", "must start with http:// or https://"),
        ("", "must start with http:// or https://"),
        ("https:///handler", "names no host; write http://example.com/handler"),
        ("https://?a=1", "names no host"),
        ("https://:80/", "names no host"),
        ("https://u:p@/", "names no host"),
        ("https://example.com:port/", "holds no port after the colon"),
        ("https://example.com:65536/", "holds no port after the colon"),
        ("https://example.com:0/", "holds no port after the colon"),
        ("https://example.com:/", "holds no port after the colon"),
        ("https://example.com:٣/", "holds no port after the colon"),
        ("https://[::1/", "is not a URL: Invalid IPv6 URL"),
        ("https://[v1.a]/", "holds brackets that enclose no IPv6 address"),
        ("https://a..example/", "names the host 'a..example'; allowed are"),
        ("https://-a.example/", "names the host '-a.example'; allowed are"),
        ("https://a%20b.example/", "names the host 'a%20b.example'; allowed are"),
        ("https://a\\b/", "names the host"),
        ("https://" + "a" * 64 + ".example/", "names the host"),
        ("https://" + "a." * 130 + "example/", "names the host"),
        ("https://\u2615.example/", "names a host that IDNA refuses"),  # D29
        ("https://a\u00ad.example/", "names a host that IDNA refuses"),  # D29
        ("https://xn--.\u00fc/", "names a host that IDNA refuses"),  # D29
        ("https://\u0301a.example/", "names a host that IDNA refuses"),  # D29
        ("https://@example.com/", "holds an @ with no user before it"),  # D28
        ("https://:p@example.com/", "holds an @ with no user before it"),  # D28
        ("https://u:100%@example.com/", "holds a % before the @ that begins no escape"),  # D28
        ("https://u%3av:p@example.com/", "holds a user with a colon"),  # D28
        ("https://u:p%0d%0a@example.com/", "holds an escaped control character"),  # D28
        ("https://example.com/" + "a" * 8000, "String should have at most 8000 characters"),
    ],
)  # fmt: skip
def test_a_target_url_that_cannot_be_called_is_refused(url, reason):
    assert why(url).startswith(reason)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "HTTPS://EXAMPLE.COM/Sub-Folder/handler.php?client_id=1234",
        "https://user:secret@example.com/?",  # D28, D29
        "https://user%40x:p%2Fq@example.com/",  # D28
        "https://user@example.com/",  # D28
        "https://example.com/?a=1&",  # D29
        "https://bücher.example/",  # D29
        "https://faß.example/",  # D29
        "https://xn--bcher-kva.example./",
        "https://under_score.example/",
        "https://example.com/?a={sid}&b=%tokens%",  # D32
        "http://[::1]:8080/",
        "http://203.0.113.9:8443/",
        "http://localhost/",
        "https://example.com/@me?q=%20+%zz",  # D21
        "https://example.com/é?ü=1",
    ],
)
def test_a_target_url_is_kept_byte_for_byte(url):
    assert Action.model_validate(call_detail(target_url=url)).target_url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://user:very-secret@example.com/a b",
        "https://user:very-se cret@example.com/",
        "https://user:very-secret/x@example.com/",
        "https://user:very'secret@example.com/#",
        "https://us%er:very-secret@example.com/",
        "ftp://user:very-secret@example.com/",
        "https://user:very-secret@ex\nample.com/",
    ],
)
def test_d28_a_refusal_does_not_repeat_the_password(url):
    assert "very" not in why(url)


ANYTHING = st.text(
    st.sampled_from("abz09.-_~:/?#[]@!$&'()*+,;=%{}|\\^\"<> \t\nüß漢\u0301😀\u00ad\u202e"),
    max_size=30,
)


@given(st.sampled_from(["http://", "https://", "https://u:p@", ""]), ANYTHING)
def test_what_is_saved_can_be_called(scheme, rest):
    try:
        url = Action.model_validate(call_detail(target_url=scheme + rest)).target_url
    except ValueError:
        return
    called = target(url)
    assert called.url.isascii()
    assert called.url.partition(":")[0].lower() in ("http", "https")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("a=1&b=2&a=3", {"a", "b"}),
        ("a", {"a"}),
        ("%69d=1&a+b=&=x&", {"id", "a b", ""}),
        ("a;b=1", {"a;b"}),
        ("é=1&%C3%A9=2", {"é"}),
    ],
)
def test_static_names_are_decoded(query, names):
    assert static_names(f"https://example.com/?{query}") == names

"""Custom headers: as configured, and never what is ours alone."""

from __future__ import annotations

import pytest

from dispatcher.render import USER_AGENT, Unsendable


@pytest.fixture
def headers(render):
    """`headers({"X-Key": "1"})`: those of the request."""
    return lambda wanted, target_url="http://h/", **fields: (
        render(
            None, target_url, headers=[{"name": n, "value": v} for n, v in wanted.items()], **fields
        ).headers
    )


def test_they_are_sent_as_configured(headers):
    sent = headers({"X-Api-Key": "a: b;c", "accept-language": "de"})
    assert (sent["X-Api-Key"], sent["accept-language"]) == ("a: b;c", "de")


@pytest.mark.parametrize("name", ["User-Agent", "user-agent", "Accept", "Authorization"])
def test_they_replace_ours_whatever_the_case(headers, name):
    sent = headers({name: "mine"}, "http://user:pw@h/")
    assert [v for n, v in sent.items() if n.lower() == name.lower()] == ["mine"]


@pytest.mark.parametrize(
    "name",
    ["webhook-id", "Webhook-Id", "WEBHOOK-SIGNATURE", "webhook-anything", "Host", "content-length",
     "Transfer-Encoding", "CONNECTION", "Expect", "Upgrade"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_ours_alone_is_neither_replaced_nor_added(headers, name, method):
    assert headers({name: "mine"}, method=method).keys() == headers({}, method=method).keys()
    assert "mine" not in headers({name: "mine"}, method=method).values()


@pytest.mark.parametrize("broken", ["a\r\nX-Injected: 1", "a\nb", "a\rb", "a\0b", "\r\n", "\x7f"])
def test_a_control_character_in_a_value_makes_the_action_unsendable(headers, broken):
    with pytest.raises(Unsendable) as refused:
        headers({"X-Key": broken})
    assert refused.value.error == "unrenderable"


@pytest.mark.parametrize("broken", ["", "X Key", "X:Key", "X\r\nY", "X\0", "ü", "X-Key\n"])
def test_what_is_no_name_makes_the_action_unsendable(headers, broken):
    with pytest.raises(Unsendable) as refused:
        headers({broken: "1"})
    assert refused.value.error == "unrenderable"


def test_a_line_break_in_a_content_type_makes_the_action_unsendable(render):
    with pytest.raises(Unsendable) as refused:
        render(method="POST", body="template", template="x", content_type="a/b\r\nX: 1")
    assert refused.value.error == "unrenderable"


def test_without_any_there_are_ours(headers):
    assert headers({})["User-Agent"] == USER_AGENT

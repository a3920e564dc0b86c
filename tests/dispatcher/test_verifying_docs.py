"""The snippets of docs/verifying-a-request.md, run against requests as they are sent."""

import re
from pathlib import Path

import pytest

from dispatcher.render import compile_action
from schemas.signing import public_key

PAGE = Path(__file__).parents[2] / "docs" / "verifying-a-request.md"
NOW = 1_782_914_602
SHARED = "whsec_" + "QUJD" * 8
OTHER = "whsec_" + "REVG" * 8
PRIVATE = "whsk_" + "R0hJ" * 10 + "R0g="


@pytest.fixture(scope="module")
def snippets():
    names = {}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    return names


@pytest.fixture
def arrived(action, dispatch, snippets):
    """`arrived(method="POST")`: what a receiver sees, headers and signed content."""

    def build(url="http://h/a?b=%e9", secrets=(SHARED,), **fields):
        one = action(url, signing_secrets=list(secrets), parameters={"who": "sid"}, **fields)
        request = compile_action(one).request(dispatch({"sid": "é &1"}, one), NOW * 1_000_000)
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = request.url.partition("?")[2]
        return headers, snippets["signed_content"](request.method, query, request.body)

    return build


@pytest.fixture(params=["shared", "public"])
def verify(request, snippets):
    """Each snippet with the key that belongs to it."""
    if request.param == "shared":
        return lambda headers, content, now=NOW: snippets["verify"](headers, content, SHARED, now)
    key = public_key(PRIVATE)
    return lambda headers, content, now=NOW: snippets["verify_with_public_key"](
        headers, content, key, now
    )


BOTH = (OTHER, SHARED, PRIVATE)


@pytest.mark.parametrize("fields", [{}, {"method": "POST"}, {"method": "PUT", "body": "json"}])
def test_a_request_of_ours_is_accepted(arrived, verify, fields):
    verify(*arrived(secrets=BOTH, **fields))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("change", ["content", "webhook-id", "webhook-timestamp"])
def test_a_changed_one_is_not(arrived, verify, method, change):
    headers, content = arrived(secrets=BOTH, method=method)
    if change == "content":
        content += b"&x=1"
    elif change == "webhook-id":
        headers[change] = headers[change].replace(headers[change][0], "x")
    else:
        headers[change] = str(NOW + 1)
    with pytest.raises(ValueError, match="no signature is right"):
        verify(headers, content)


def test_one_that_is_signed_with_other_secrets_alone_is_not(arrived, verify):
    with pytest.raises(ValueError, match="no signature is right"):
        verify(*arrived(secrets=(OTHER,)))


def test_a_right_signature_under_another_version_is_not(arrived, verify):
    headers, content = arrived(secrets=BOTH)
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1", "v9")
    with pytest.raises(ValueError, match="no signature is right"):
        verify(headers, content)


@pytest.mark.parametrize("late", [-301, 301, 10**9])
def test_neither_an_old_one_nor_one_from_the_future_is(arrived, verify, late):
    with pytest.raises(ValueError, match="too old"):
        verify(*arrived(secrets=BOTH), NOW + late)


@pytest.mark.parametrize("late", [-300, 0, 300])
def test_within_five_minutes_it_is(arrived, verify, late):
    verify(*arrived(secrets=BOTH), NOW + late)


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e9", "1782914602.0"])
def test_what_is_no_timestamp_is_not(arrived, verify, timestamp):
    headers, content = arrived(secrets=BOTH)
    headers["webhook-timestamp"] = timestamp
    with pytest.raises(ValueError, match="too old"):
        verify(headers, content)

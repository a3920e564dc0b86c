"""Sealed secrets in a dispatch: opened when the action is compiled, or nothing is sent."""

import json

import pytest

from dispatcher.attempts import shown_answer
from dispatcher.flight import FlightReader
from dispatcher.render import Unsendable
from dispatcher.transport import Answer
from schemas.sealing import Sealer, new_key

OLD, NEW = new_key(), new_key()
SHARED = "whsec_" + "CANARY00" * 4
FIELDS = {
    "headers": [{"name": "X-Api-Key", "value": "canary-header"}],
    "signing_secrets": [SHARED],
    "tls": {"verify": True, "ca": "", "client_certificate": "public", "client_key": "canary-key"},
    "method": "POST",
}
URL = "https://canary-user:canary-pass@example.com/h"
NOW = 1_782_914_602_000_000


@pytest.fixture
def flight(codec, wire, tracker, dispatch, action):
    """`flight(keys)`: a dispatch whose action is sealed, read by a dispatcher with those keys."""

    def build(keys, seal=NEW, url=URL, **fields):
        plain = action(url, **FIELDS | fields)
        sealed = Sealer([seal]).sealed(plain) if seal else plain
        value = wire(dispatch(action=sealed))
        reader = FlightReader(codec, "http://google.example", Sealer(keys))
        return reader.read(tracker(), 0, value), value

    return build


def told(request):
    return request.method, request.url, request.headers, request.body, request.tls


@pytest.mark.parametrize("keys", [[NEW], [OLD, NEW], [NEW, OLD]])
def test_with_its_key_the_request_is_what_the_plain_action_makes(flight, keys):
    (sealed, value), (plain, _) = flight(keys), flight([], seal=None)
    request = sealed.request(NOW)
    assert told(request) == told(plain.request(NOW))
    assert request.tls.client_key == "canary-key"
    assert b"canary" not in value
    assert b"CANARY" not in value


@pytest.mark.parametrize("keys", [[OLD], []])
def test_without_it_nothing_is_sent_and_the_setting_is_named(flight, keys):
    one, _ = flight(keys)
    with pytest.raises(Unsendable) as refused:
        one.request(NOW)
    assert refused.value.error == "sealed"
    told = str(refused.value)
    for path in ("target_url", "headers[0].value", "signing_secrets[0]", "tls.client_key"):
        assert path in told
    assert "PCA_SECRET_KEYS" in told
    assert "gAAAAA" not in told


@pytest.mark.parametrize("only", ["signing_secrets", "headers", "tls"])
def test_one_secret_that_cannot_be_opened_is_enough(flight, only):
    rest = {"headers": [], "signing_secrets": [], "tls": None}
    one, _ = flight([OLD], url="https://example.com/", **rest | {only: FIELDS[only]})
    with pytest.raises(Unsendable) as refused:
        one.request(NOW)
    assert refused.value.error == "sealed"


def test_the_secret_of_google_analytics_is_opened_too(codec, wire, tracker, dispatch, action):
    event = {"measurement_id": "G-1", "api_secret": "canary", "event_name": "e", "parameters": []}
    plain = action("", option="google_analytics", google_analytics=event)
    value = wire(dispatch(action=Sealer([NEW]).sealed(plain)))
    assert b"canary" not in value

    def url(*keys):
        reader = FlightReader(codec, "http://google.example", Sealer(keys))
        compiled = reader.read(tracker(), 0, value).ready.compiled
        return compiled.error if isinstance(compiled, Unsendable) else compiled.url

    assert url(NEW).endswith("api_secret=canary")
    assert url(OLD) == "sealed"


def test_a_retry_is_written_with_its_secrets_still_sealed(flight):
    one, _ = flight([NEW])
    one.request(NOW)
    written = one.rewritten(b"", {"attempt": 2})
    assert b"canary" not in written
    assert written.count(b"sealed.gAAAA") == 4


def test_an_echo_of_a_secret_is_masked_in_what_is_kept(flight):
    one, _ = flight([NEW])
    request = one.request(NOW)
    said = json.dumps(request.headers)
    answer = Answer(200, {"X-Echo": said}, said.encode())
    headers, body = shown_answer(answer, request.shared.secrets)
    assert "canary" not in headers["X-Echo"]
    assert b"canary" not in body
    assert request.headers["Authorization"].removeprefix("Basic ") not in headers["X-Echo"]
    assert request.headers["webhook-id"] in headers["X-Echo"]

"""`webhook-signature`: the vectors of Standard Webhooks, and an independent verifier."""

import base64
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from dispatcher.render import Unsendable, compile_action
from dispatcher.request import Request
from dispatcher.signature import signer
from schemas.signing import public_key

SHARED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SEED = "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
PAIR = "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="

# The libraries of Standard Webhooks for Python, Go, JavaScript, PHP, Ruby, Java and C# share the
# first; the one for Rust has the second. The third is of the server of Svix, who began it all, and
# stands in the specification's example of headers.
PUBLISHED = [
    (SHARED, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}',
     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    (OTHER, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "1649367553",
     b'{"email":"test@example.com","username":"test_user"}',
     "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
    (f"whsk_{PAIR}", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}',
     "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="),
]  # fmt: skip


@pytest.mark.parametrize(("secret", "id_", "timestamp", "payload", "signature"), PUBLISHED)
def test_the_published_vectors_pass(secret, id_, timestamp, payload, signature):
    assert signer([secret])(id_, timestamp, payload) == signature


def test_the_public_key_of_the_published_pair_is_the_published_one():
    assert public_key(f"whsk_{PAIR}") == PUBLIC


def test_a_seed_alone_signs_as_the_whole_pair_does():
    _, id_, timestamp, payload, signature = PUBLISHED[2]
    assert signer([f"whsk_{SEED}"])(id_, timestamp, payload) == signature


def test_every_secret_signs_in_the_order_given():
    _, id_, timestamp, payload, first = PUBLISHED[0]
    both = signer([SHARED, f"whsk_{PAIR}", OTHER])(id_, timestamp, payload)
    alone = [signer([one])(id_, timestamp, payload) for one in (SHARED, f"whsk_{PAIR}", OTHER)]
    assert both.split(" ") == alone
    assert alone[0] == first


def test_no_secret_no_signer():
    assert signer([]) is None


@pytest.mark.parametrize("broken", ["", "***", "whsec_", "whsec_AAAA", "secret", "whsk_AAAA",
                                    "sealed.gAAAAABrA3kA"])  # fmt: skip
def test_an_action_whose_secret_is_none_is_not_sent_unsigned(action, broken):
    with pytest.raises(Unsendable) as refused:
        compile_action(action(signing_secrets=[SHARED, broken]))
    assert refused.value.error == "unrenderable"
    told = str(refused.value)
    assert told.startswith("one of signing_secrets ")
    assert not [secret for secret in (SHARED, "AAAA", "gAAAAA", "***") if secret in told]


# Whole requests.

NOW = 1_782_914_602_999_999


@pytest.fixture
def sent(action, dispatch):
    """`sent(method="POST", …)`: the request of a signed action, made now."""

    def build(*args, now=None, attempt=1, call=None, **fields):
        one = action(*args, **{"signing_secrets": [SHARED]} | fields)
        record = dispatch(call or {"sid": "s 1/é&?"}, one, attempt=attempt)
        return compile_action(one).request(record, now or time.time_ns() // 1000)

    return build


def verify(request, secret, content):
    Webhook(secret).verify(content, request.headers, json_parse=False)


SID = {"who": "sid", "from": "caller_id"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"body": "json"},
        {"method": "PUT", "body": "json"},
        {"body": "template", "template": "<é>{{sid}}</é>", "content_type": "text/xml"},
    ],
)
def test_an_independent_verifier_accepts_a_body(sent, fields):
    parameters = {} if fields.get("body") == "template" else SID
    request = sent("http://h/a?b=1", **{"method": "POST"} | fields, parameters=parameters)
    assert request.body
    verify(request, SHARED, request.body)


def test_an_empty_body_is_signed_too(sent):
    request = sent(method="POST")
    assert request.body == b""
    verify(request, SHARED, b"")


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("http://h/", "who=s+1%2F%C3%A9%26%3F&from="),
        ("http://h/a?b=1", "b=1&who=s+1%2F%C3%A9%26%3F&from="),
        ("http://h/a?b=?&", "b=?&who=s+1%2F%C3%A9%26%3F&from="),
        ("http://u:pass@h/a?é=%e9", "%C3%A9=%e9&who=s+1%2F%C3%A9%26%3F&from="),
    ],
)
def test_an_independent_verifier_accepts_the_query_of_a_get(sent, url, query):
    request = sent(url, parameters=SID)
    assert (request.url.partition("?")[2], request.body) == (query, None)
    verify(request, SHARED, query)


@pytest.mark.parametrize("url", ["http://h/", "http://h/?"])
def test_a_get_without_a_query_is_signed_over_nothing(sent, url):
    verify(sent(url), SHARED, "")


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp"])
def test_whatever_of_it_is_changed_the_verifier_notices(sent, change):
    one = sent(method="POST", parameters=SID)
    body = one.body + b"&x=1" if change == "body" else one.body
    told = one.own_headers
    if change in told:
        told[change] = told[change][:-1] + ("0" if told[change][-1] != "0" else "1")
    request = Request(one.method, one.url, told, body)
    with pytest.raises(WebhookVerificationError):
        verify(request, SHARED, body)


@pytest.mark.parametrize("secret", [SHARED, OTHER])
def test_while_secrets_change_either_verifies(sent, secret):
    request = sent(method="POST", parameters=SID, signing_secrets=[OTHER, SHARED])
    verify(request, secret, request.body)


def test_ed25519_is_verified_by_the_public_key(sent):
    request = sent(parameters=SID, signing_secrets=[SHARED, f"whsk_{SEED}"])
    first, second = request.headers["webhook-signature"].split(" ")
    assert (first[:3], second[:4]) == ("v1,", "v1a,")
    id_, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    content = f"{id_}.{timestamp}.{request.url.partition('?')[2]}".encode()
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(PUBLIC.removeprefix("whpk_")))
    public.verify(base64.b64decode(second[4:]), content)  # raises when it does not hold


def test_each_try_is_signed_anew_under_the_same_id(sent):
    first, later = sent(now=NOW), sent(now=NOW + 60_000_000, attempt=2)
    assert first.headers["webhook-id"] == later.headers["webhook-id"]
    assert first.headers["webhook-signature"] != later.headers["webhook-signature"]


def test_without_a_secret_there_is_no_signature(sent):
    assert "webhook-signature" not in sent(signing_secrets=[]).headers

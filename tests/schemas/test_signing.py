"""Signing secrets: what is refused, in words that hold no secret; rotation."""

import base64
import json

import pytest
from pydantic import ValidationError
from refused import analytics, call_detail, refused

from schemas.configuration import Action, Document
from schemas.signing import PER_KIND, new_secret, public_key, rotated, secret_bytes
from streaming.problems import errors_of


def shared(length=32, fill=b"\x07"):
    return "whsec_" + base64.b64encode(fill * length).decode()


def private(length=32, fill=b"\x07"):
    return "whsk_" + base64.b64encode(fill * length).decode()


@pytest.mark.parametrize("secret", [shared(24), shared(32), shared(64), private(), "***"])
def test_what_standard_webhooks_allows_is_taken(secret):
    assert Action.model_validate(call_detail(signing_secrets=[secret]))


BAD = [
    ("", "is no signing secret; write whsec_… (shared) or whsk_… (Ed25519)"),
    ("canary", "is no signing secret; write whsec_… (shared) or whsk_… (Ed25519)"),
    ("WHSEC_" + "Y2FuYXJ5" * 4, "is no signing secret; write whsec_… (shared) or whsk_… (Ed25519)"),
    ("whpk_" + "Y2FuYXJ5" * 4, "is a public key; write the private one, whsk_…"),
    ("whsec_canary!", "holds no base64 after whsec_; it ends in = where needed"),
    ("whsec_" + "Y2FuYXJ5" * 4 + "Y2E", "holds no base64 after whsec_; it ends in = where needed"),
    ("whsec_" + "Y2Fu_XJ5" * 4, "holds no base64 after whsec_; it ends in = where needed"),
    ("whsec_\u00e9", "holds no base64 after whsec_; it ends in = where needed"),
    ("whsec_", "holds 0 bytes after whsec_; allowed are 24 to 64"),
    (shared(23), "holds 23 bytes after whsec_; allowed are 24 to 64"),
    (shared(65), "holds 65 bytes after whsec_; allowed are 24 to 64"),
    (private(31), "holds 31 bytes after whsk_; write the seed (32), or seed and public key (64)"),
    (private(33), "holds 33 bytes after whsk_; write the seed (32), or seed and public key (64)"),
    (private(64), "holds a public key that does not belong to its seed; write the seed only"),
    ("whsec_" + "A" * 300, "String should have at most 200 characters"),
]


@pytest.mark.parametrize(("secret", "reason"), BAD)
def test_what_is_no_secret_is_refused_and_never_repeated(secret, reason):
    fields = call_detail(signing_secrets=[shared(), secret])
    assert refused(Action, fields) == {"signing_secrets[1]": reason}
    with pytest.raises(ValidationError) as caught:
        Action.model_validate(fields)
    (fault,) = errors_of(caught.value)
    assert fault["given"] == "***"


def test_a_third_of_a_kind_is_refused():
    kinds = [shared(32, b"a"), private(32, b"a"), shared(32, b"b"), private(32, b"b")]
    assert Action.model_validate(call_detail(signing_secrets=kinds))
    three = [shared(32, bytes([n])) for n in range(PER_KIND + 1)]
    assert refused(Action, call_detail(signing_secrets=three)) == {
        "signing_secrets[2]": "is one too many: 2 of whsec_… are enough for a rotation"
    }


def test_the_same_secret_twice_is_refused_and_two_masks_are_not():
    assert refused(Action, call_detail(signing_secrets=[shared(), shared()])) == {
        "signing_secrets[1]": "stands here twice; remove one"
    }
    assert Action.model_validate(call_detail(signing_secrets=["***", "***"]))


def test_google_analytics_is_not_signed_for():
    fields = analytics() | {"signing_secrets": [shared()]}
    assert "belongs to option call_detail" in refused(Action, fields)["signing_secrets"]


SECRET = shared(32, b"canary")


@pytest.mark.parametrize(
    "wrong",
    [
        {"signing_secrets": SECRET},
        {"signing_secrets": {"first": SECRET}},
        {"signing_secrets": [[SECRET]]},
        {"signing_secret": [SECRET]},
        {"signing_secret": SECRET},
        {"secrets": [SECRET]},
        {"name": SECRET + "\n"},
        {"content_type": SECRET},
        {"conditions": {"webhook": {"a": [SECRET]}}},
        {"parameters": [{"name": "a", "placeholder": SECRET}]},
        {"tls": SECRET},
        {"option": "google_analytics", "signing_secrets": [SECRET]},
    ],
)
def test_wherever_somebody_writes_a_secret_it_is_not_repeated(wrong):
    for shape, fields in [
        (Action, call_detail(**wrong)),
        (Document, {"accounts": [{"id": "a", "actions": [call_detail(id="x") | wrong]}]}),
        (Document, [call_detail(**wrong)]),
    ]:
        with pytest.raises(ValidationError) as caught:
            shape.model_validate_json(json.dumps(fields))
        told = f"{errors_of(caught.value)} {caught.value!r} {caught.value}"
        assert SECRET not in told
        assert SECRET.removeprefix("whsec_")[:20] not in told


@pytest.mark.parametrize(("kind", "prefix"), [("hmac", "whsec_"), ("ed25519", "whsk_")])
def test_a_new_secret_is_another_each_time_and_sound(kind, prefix):
    made = {new_secret(kind) for _ in range(5)}
    assert len(made) == 5
    for secret in made:
        assert secret.startswith(prefix)
        assert len(secret_bytes(secret)) == 32


def test_a_public_key_has_32_bytes_and_is_no_secret():
    key = public_key(private())
    assert len(base64.b64decode(key.removeprefix("whpk_"))) == 32
    with pytest.raises(ValueError, match="public"):
        secret_bytes(key)


def test_rotating_puts_the_new_one_first_keeps_one_of_its_kind_and_all_others():
    a, b, c = (shared(32, bytes([n])) for n in range(3))
    p, q, r = (private(32, bytes([n])) for n in range(3))
    assert rotated([], a) == [a]
    assert rotated([a], b) == [b, a]
    assert rotated([b, a], c) == [c, b]
    assert rotated([b, p, a, q], c) == [c, b, p, q]
    assert rotated([b, p, a, q], r) == [r, b, p, a]

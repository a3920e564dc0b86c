"""`tls`: private authorities and client certificates; messages never quote a key."""

from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from pydantic import ValidationError
from refused import analytics, call_detail, refused

from deploy.certificates import Issued
from schemas.codec import decode_body
from schemas.configuration import Action
from schemas.released import current
from streaming.problems import errors_of

CLIENT = Issued("client", None, hosts=["client.example"])
OTHER = Issued("other", None, hosts=["other.example"])
AUTHORITY = Issued("authority", None)


def pem(key, encryption=None):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        encryption or serialization.NoEncryption(),
    ).decode()


def with_tls(**tls):
    return call_detail(tls=tls)


PAIR = {"client_certificate": CLIENT.pem, "client_key": CLIENT.key_pem}


@pytest.mark.parametrize(
    "tls",
    [
        {},
        {"verify": False},
        {"ca": AUTHORITY.pem},
        {"ca": AUTHORITY.pem + OTHER.pem},
        PAIR,
        PAIR | {"client_certificate": CLIENT.pem + AUTHORITY.pem},
        PAIR | {"ca": AUTHORITY.pem},
        PAIR | {"client_key": "***"},
    ],
)
def test_what_is_sound_is_taken_and_becomes_a_record(tls):
    record = Action.model_validate(with_tls(**tls)).to_avro("a", 1)
    read = decode_body(current("Action").encode(record), 0, current("Action"))["tls"]
    empty = {"verify": True, "ca": "", "client_certificate": "", "client_key": ""}
    assert read == empty | tls


@cache
def locked():
    return pem(ec.generate_private_key(ec.SECP256R1()), serialization.BestAvailableEncryption(b"p"))


def middle(text):
    return text.splitlines()[1]


@pytest.mark.parametrize(
    ("tls", "faults"),
    [
        ({"ca": "canary"},
         {"tls.ca": "holds no certificate in PEM; it starts with -----BEGIN CERTIFICATE-----"}),
        ({"ca": ""},
         {"tls.ca": "holds no certificate in PEM; it starts with -----BEGIN CERTIFICATE-----"}),
        ({"ca": AUTHORITY.pem.replace(middle(AUTHORITY.pem), "canary")},
         {"tls.ca": "holds no certificate in PEM; it starts with -----BEGIN CERTIFICATE-----"}),
        ({"ca": AUTHORITY.pem, "verify": False},
         {"tls.ca": "has no effect while verify is false; leave out one"}),
        ({"ca": AUTHORITY.key_pem},
         {"tls.ca": "holds a private key too; write that into client_key, where it is secret"}),
        (PAIR | {"client_certificate": CLIENT.pem + CLIENT.key_pem},
         {"tls.client_certificate":
          "holds a private key too; write that into client_key, where it is secret"}),
        ({"client_certificate": CLIENT.pem},
         {"tls.client_key": "is missing: client_certificate needs it"}),
        ({"client_key": CLIENT.key_pem},
         {"tls.client_certificate": "is missing: client_key needs it"}),
        (PAIR | {"client_key": "canary"}, {"tls.client_key": "holds no private key in PEM"}),
        (PAIR | {"client_key": CLIENT.pem}, {"tls.client_key": "holds no private key in PEM"}),
        (PAIR | {"client_key": locked()},
         {"tls.client_key": "is encrypted with a password; write the key without one"}),
        (PAIR | {"client_key": OTHER.key_pem},
         {"tls.client_key": "does not belong to client_certificate, or to a later one of its chain"
                            " than the first"}),
        (PAIR | {"client_key": pem(ed25519.Ed25519PrivateKey.generate())},
         {"tls.client_key": "does not belong to client_certificate, or to a later one of its chain"
                            " than the first"}),
        (PAIR | {"client_key": pem(x25519.X25519PrivateKey.generate())},
         {"tls.client_key": "does not belong to client_certificate, or to a later one of its chain"
                            " than the first"}),
        (PAIR | {"client_certificate": AUTHORITY.pem + CLIENT.pem},
         {"tls.client_key": "does not belong to client_certificate, or to a later one of its chain"
                            " than the first"}),
        ({"verify": "no"}, {"tls.verify": "Input should be a valid boolean"}),
        ({"key": CLIENT.key_pem}, {"tls.key": "is not a field that exists here"}),
        ({"ca": "A" * 70_000}, {"tls.ca": "String should have at most 65536 characters"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_without_the_key(tls, faults):
    assert refused(Action, with_tls(**tls)) == faults
    with pytest.raises(ValidationError) as caught:
        Action.model_validate(with_tls(**tls))
    told = f"{errors_of(caught.value)} {caught.value}"
    for key in (CLIENT.key_pem, OTHER.key_pem, AUTHORITY.key_pem, locked()):
        assert middle(key) not in told


def test_it_has_no_effect_without_https():
    fields = call_detail(target_url="HTTP://example.com/", tls={})
    assert refused(Action, fields) == {
        "tls": "has no effect: target_url starts with http://; leave it out, or write https://"
    }


def test_google_analytics_takes_none_and_the_key_is_not_repeated():
    fields = analytics() | {"tls": PAIR}
    assert "belongs to option call_detail" in refused(Action, fields)["tls"]
    with pytest.raises(ValidationError) as caught:
        Action.model_validate(fields)
    assert middle(CLIENT.key_pem) not in str(errors_of(caught.value))

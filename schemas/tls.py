"""How a server proves who it is, and how we do: private authorities and client certificates."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import AfterValidator, StringConstraints, model_validator

from schemas.call import Shape
from schemas.refusals import Refusals
from schemas.secret_fields import MASK

_BEGIN = "-----BEGIN CERTIFICATE-----"
_PRIVATE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def _certificates(pem: str) -> str:
    if _PRIVATE.search(pem):
        raise ValueError("holds a private key too; write that into client_key, where it is secret")
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise ValueError(f"holds no certificate in PEM; it starts with {_BEGIN}") from None
    return pem


def _private_key(pem: str) -> str:
    if pem == MASK:
        return pem
    try:
        load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise ValueError("is encrypted with a password; write the key without one") from None
    except Exception:  # whatever the library makes of it; its messages may quote the key
        raise ValueError("holds no private key in PEM") from None
    return pem


Pem = Annotated[str, StringConstraints(max_length=64 * 1024), AfterValidator(_certificates)]
PrivateKey = Annotated[str, StringConstraints(max_length=32 * 1024), AfterValidator(_private_key)]


class Tls(Shape):
    """The `tls` of an action."""

    verify: bool = True
    ca: Pem | None = None
    client_certificate: Pem | None = None
    client_key: PrivateKey | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        refusals = Refusals()
        if self.client_certificate and not self.client_key:
            refusals.add(("client_key",), "is missing: client_certificate needs it", None)
        if self.client_key and not self.client_certificate:
            refusals.add(("client_certificate",), "is missing: client_key needs it", None)
        if self.ca and not self.verify:
            refusals.add(("ca",), "has no effect while verify is false; leave out one", None)
        if self.client_certificate and self.client_key and self.client_key != MASK:
            check_pair(self.client_certificate, self.client_key, refusals)
        refusals.settle("Tls")
        return self


def check_pair(certificate: str, key: str, refusals: Refusals, *path: str) -> None:
    """Whether the key belongs to the first of the certificates; `path` leads to the Tls."""
    try:
        leaf = x509.load_pem_x509_certificates(certificate.encode())[0]
        if _spki(leaf) == _spki(load_pem_private_key(key.encode(), password=None)):
            return
    except Exception:  # a kind of key that the library does not know; its messages may quote it
        reason = "is of a kind that cannot be used; write an RSA, EC or Ed25519 key"
        refusals.add((*path, "client_key"), reason, None)
        return
    reason = "does not belong to client_certificate, or to a later one of its chain than the first"
    refusals.add((*path, "client_key"), reason, None)


def _spki(holder: Any) -> bytes:
    """The public key of a certificate or private key."""
    public: bytes = holder.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return public

"""How a server proves who it is, and how we do: private authorities and client certificates."""

from __future__ import annotations

from typing import Annotated, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import AfterValidator, StringConstraints, model_validator

from schemas.call import Shape
from schemas.refusals import Refusals

_BEGIN = "-----BEGIN CERTIFICATE-----"


def _certificates(pem: str) -> str:
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise ValueError(f"holds no certificate in PEM; it starts with {_BEGIN}") from None
    return pem


def _private_key(pem: str) -> str:
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
        refusals.settle("Tls")
        if self.client_certificate and self.client_key:
            self._check_pair(self.client_certificate, self.client_key)
        return self

    def _check_pair(self, certificate: str, key: str) -> None:
        leaf = x509.load_pem_x509_certificates(certificate.encode())[0]
        private = load_pem_private_key(key.encode(), password=None)
        form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        if leaf.public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
            refusals = Refusals()
            refusals.add(
                ("client_key",), "belongs to another certificate than client_certificate", None
            )
            refusals.settle("Tls")

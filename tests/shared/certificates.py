"""Certificates of an authority of our own: good, expired, for others, self-signed, too many."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Kind = Literal["good", "expired", "early", "of another host", "self-signed", "unknown", "chained"]
_DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Issued:
    """A certificate and its key."""

    def __init__(self, name: str, issuer: Issued | None, *, host: str = "", age: int = 0) -> None:
        """`age` in days: negative for one that is not valid yet, over 30 for an expired one.
        Without a host it is an authority; without an issuer it signs itself."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        signer = issuer or self
        start = datetime.now(UTC) - age * _DAY - _DAY
        public = self.key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(issuer.certificate.subject if issuer else _name(name))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + 30 * _DAY)
            .add_extension(x509.BasicConstraints(ca=not host, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()),
                critical=False,
            )
            .add_extension(_usage(authority=not host), critical=True)
        )
        if host:
            alternative = x509.SubjectAlternativeName([_alternative(host)])
            builder = builder.add_extension(alternative, critical=False)
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """Its key, in the clear."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


@cache
def authority() -> Issued:
    """The one whose certificates are to be trusted."""
    return Issued("An authority", None)


@cache
def issued(kind: Kind) -> Issued:
    """A server's certificate."""
    if kind == "self-signed":
        return Issued("127.0.0.1", None, host="127.0.0.1")
    issuer = Issued("Another authority", None) if kind == "unknown" else authority()
    host = "other.example" if kind == "of another host" else "127.0.0.1"
    age = {"expired": 60, "early": -10}.get(kind, 0)
    return Issued(host, issuer, host=host, age=age)


@cache
def server_context(kind: Kind = "good", *, old: bool = False, asks: bool = False) -> ssl.SSLContext:
    """For the server's side. `old` speaks TLS 1.1 at most; `asks` wants a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    one = issued(kind)
    chain = one.pem
    if kind == "chained":
        chain += authority().pem * 300
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        file.write_text(one.key_pem + chain)
        context.load_cert_chain(file)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority().pem)
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context

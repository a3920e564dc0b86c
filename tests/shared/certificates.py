"""Certificates of servers: good, expired, for others, self-signed, too many."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Literal

from deploy.certificates import Issued

Kind = Literal["good", "expired", "early", "of another host", "self-signed", "unknown", "chained"]


@cache
def authority() -> Issued:
    """The one whose certificates are to be trusted."""
    return Issued("An authority", None)


@cache
def issued(kind: Kind) -> Issued:
    """A server's certificate."""
    if kind == "self-signed":
        return Issued("127.0.0.1", None, hosts=["127.0.0.1"])
    issuer = Issued("Another authority", None) if kind == "unknown" else authority()
    host = "other.example" if kind == "of another host" else "127.0.0.1"
    age = {"expired": 60, "early": -10}.get(kind, 0)
    return Issued(host, issuer, hosts=[host], age=age)


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

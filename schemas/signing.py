"""Signing secrets as Standard Webhooks writes them."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

SYMMETRIC = "whsec_"
"""In front of a shared secret: signatures by HMAC-SHA256, `v1`."""
PRIVATE = "whsk_"
"""In front of a private key: signatures by Ed25519, `v1a`."""
PER_KIND = 2
"""One, and another during a rotation."""


def secret_bytes(secret: str) -> bytes:
    """What stands behind the prefix: 24 to 64 bytes of a shared secret, or the 32 of a private
    key's seed. Raises ValueError, which never repeats the secret."""
    kind = next((k for k in (SYMMETRIC, PRIVATE) if secret.startswith(k)), None)
    if kind is None:
        raise ValueError("is no signing secret; write whsec_… (shared) or whsk_… (Ed25519)")
    try:
        raw = base64.b64decode(secret.removeprefix(kind), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"holds no base64 after {kind}") from None
    if kind == SYMMETRIC:
        if not 24 <= len(raw) <= 64:
            raise ValueError(f"holds {len(raw)} bytes after {kind}; allowed are 24 to 64")
        return raw
    if len(raw) not in (32, 64):
        raise ValueError(
            f"holds {len(raw)} bytes after {kind}; write the seed (32), or seed and public key (64)"
        )
    return raw[:32]


def _signing_secret(secret: str) -> str:
    secret_bytes(secret)
    return secret


SigningSecret = Annotated[str, StringConstraints(max_length=200), AfterValidator(_signing_secret)]

"""Signing secrets as Standard Webhooks writes them."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import AfterValidator, StringConstraints

from schemas.refusals import Refusals
from schemas.secret_fields import MASK

SYMMETRIC = "whsec_"
"""In front of a shared secret: signatures by HMAC-SHA256, `v1`."""
PRIVATE = "whsk_"
"""In front of a private key: signatures by Ed25519, `v1a`."""
PUBLIC = "whpk_"
"""In front of the public key that belongs to it."""
PER_KIND = 2
"""One, and another during a rotation."""

Kind = Literal["hmac", "ed25519"]
_PREFIXES: dict[Kind, str] = {"hmac": SYMMETRIC, "ed25519": PRIVATE}


def secret_bytes(secret: str) -> bytes:
    """What stands behind the prefix: 24 to 64 bytes of a shared secret, or the 32 of a private
    key's seed. Raises ValueError, which never repeats the secret."""
    kind = next((k for k in (SYMMETRIC, PRIVATE) if secret.startswith(k)), None)
    if secret.startswith(PUBLIC):
        raise ValueError(f"is a public key; write the private one, {PRIVATE}…")
    if kind is None:
        raise ValueError("is no signing secret; write whsec_… (shared) or whsk_… (Ed25519)")
    try:
        raw = base64.b64decode(secret.removeprefix(kind), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"holds no base64 after {kind}; it ends in = where needed") from None
    if kind == SYMMETRIC:
        if not 24 <= len(raw) <= 64:
            raise ValueError(f"holds {len(raw)} bytes after {kind}; allowed are 24 to 64")
        return raw
    if len(raw) not in (32, 64):
        raise ValueError(
            f"holds {len(raw)} bytes after {kind}; write the seed (32), or seed and public key (64)"
        )
    seed, public = raw[:32], raw[32:]
    if public and public != _public_bytes(seed):
        raise ValueError("holds a public key that does not belong to its seed; write the seed only")
    return seed


def public_key(secret: str) -> str:
    """What verifies the signatures of a `whsk_…`: `whpk_…`. Raises ValueError as above."""
    return PUBLIC + base64.b64encode(_public_bytes(secret_bytes(secret))).decode()


def _public_bytes(seed: bytes) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def new_secret(kind: Kind) -> str:
    """32 random bytes, as a shared secret or as the seed of a private key."""
    return _PREFIXES[kind] + base64.b64encode(secrets.token_bytes(32)).decode()


def rotated(known: Sequence[str], new: str) -> list[str]:
    """The secrets with `new` in front and one other of its kind kept; of other kinds, all."""
    prefix = SYMMETRIC if new.startswith(SYMMETRIC) else PRIVATE
    same = [secret for secret in known if secret.startswith(prefix)]
    dropped = same[PER_KIND - 1 :]
    return [new, *(secret for secret in known if secret not in dropped)]


def check_signing_secrets(signing_secrets: Sequence[str], refusals: Refusals) -> None:
    """At most `PER_KIND` of each kind, none twice. Masks are not known, and judged later."""
    for index, secret in enumerate(signing_secrets):
        if secret != MASK and secret in signing_secrets[:index]:
            refusals.add(("signing_secrets", index), "stands here twice; remove one", None)
    for kind in (SYMMETRIC, PRIVATE):
        places = [n for n, secret in enumerate(signing_secrets) if secret.startswith(kind)]
        for index in places[PER_KIND:]:
            reason = f"is one too many: {PER_KIND} of {kind}… are enough for a rotation"
            refusals.add(("signing_secrets", index), reason, None)


def _signing_secret(secret: str) -> str:
    if secret != MASK:
        secret_bytes(secret)
    return secret


SigningSecret = Annotated[str, StringConstraints(max_length=200), AfterValidator(_signing_secret)]

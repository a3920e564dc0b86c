"""`webhook-signature` by Standard Webhooks: HMAC-SHA256 (`v1`) and Ed25519 (`v1a`)."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dispatcher.request import Unsendable
from schemas.signing import SYMMETRIC, secret_bytes

Sign = Callable[[str, str, bytes], str]
"""(webhook-id, webhook-timestamp, the body or query) → webhook-signature."""


def signer(secrets: Sequence[str]) -> Sign | None:
    """What signs with every secret, in their order; None without any.

    Keys are prepared here, once. Raises `Unsendable` for what is no signing secret: a request must
    not go out without its signature.
    """
    if not secrets:
        return None
    try:
        marks = [_mark(secret) for secret in secrets]
    except ValueError as error:
        raise Unsendable("unrenderable", f"one of signing_secrets {error}") from error

    def sign(id_: str, timestamp: str, content: bytes) -> str:
        signed = b"%b.%b.%b" % (id_.encode(), timestamp.encode(), content)
        return " ".join([mark(signed) for mark in marks])

    return sign


def _mark(secret: str) -> Callable[[bytes], str]:
    """From the signed content to one signature with its version."""
    key = secret_bytes(secret)
    if secret.startswith(SYMMETRIC):
        keyed = hmac.new(key, digestmod="sha256")

        def v1(content: bytes) -> str:
            code = keyed.copy()
            code.update(content)
            return "v1," + b64encode(code.digest()).decode()

        return v1
    private = Ed25519PrivateKey.from_private_bytes(key)
    return lambda content: "v1a," + b64encode(private.sign(content)).decode()

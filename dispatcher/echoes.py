"""Secrets of a request that its answer repeats, as servers that echo what they were sent do."""

from __future__ import annotations

import base64
import binascii

from dispatcher.request import Request
from schemas.headers import is_secret
from schemas.secret_fields import MASK

SHORTEST = 6
"""Characters; what is shorter stands in any text by chance."""


def secrets_of(request: Request) -> list[str]:
    """The values of its secret headers; of Basic authorization, the credentials and password too.
    The longest first."""
    if not any(map(is_secret, request.headers)):
        return []
    found = [value for name, value in request.headers.items() if is_secret(name)]
    for value in list(found):
        scheme, _, credentials = value.partition(" ")
        if not credentials:
            continue
        found.append(credentials)
        if scheme.lower() == "basic":
            try:
                decoded = base64.b64decode(credentials).decode()
            except (binascii.Error, ValueError):
                continue
            found += [decoded, decoded.partition(":")[2]]
    return sorted({one for one in found if len(one) >= SHORTEST}, key=len, reverse=True)


def without(text: str, secrets: list[str]) -> str:
    """The text with each of the secrets masked."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def bytes_without(body: bytes, secrets: list[str]) -> bytes:
    """The same for the bytes of a body."""
    for secret in secrets:
        body = body.replace(secret.encode("utf-8", "replace"), MASK.encode())
    return body

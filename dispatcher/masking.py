"""What nobody may see of a request, also where its answer repeats it, as servers that echo do."""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from itertools import islice

from schemas.headers import is_secret
from schemas.secret_fields import MASK
from streaming.problems import without_userinfo

SHORTEST = 6
"""Characters of a secret; what is shorter stands in any text by chance."""
_API_SECRET = re.compile(r"(?<=api_secret=)[^&\s\"'<>]*")
_API_SECRET_BYTES = re.compile(_API_SECRET.pattern.encode())
_MAX_TEXT = 16 * 1024
_MAX_HEADERS = 64
_SHORT = 256


def secrets_of(headers: dict[str, str]) -> list[str]:
    """The values of secret headers, the longest first; of Basic authorization, the credentials and
    password too."""
    found = [value for name, value in headers.items() if is_secret(name)]
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


def shown_headers(headers: dict[str, str]) -> dict[str, str]:
    """Headers with the values of secret ones masked."""
    found: dict[str, str] = {}
    for name, value in islice(headers.items(), _MAX_HEADERS):
        pair = _shown_often(name, value) if len(value) < _SHORT else shown_header(name, value)
        found[pair[0]] = pair[1]
    return found


def shown_header(name: str, value: str) -> tuple[str, str]:
    """One of them."""
    return shown(name), MASK if is_secret(name) else shown(value)


_shown_often = lru_cache(maxsize=4096)(shown_header)
"""Most headers are the same in all answers of an endpoint."""


def shown_url(url: str) -> str:
    """The URL without the `api_secret` of Google Analytics."""
    return _API_SECRET.sub(MASK, url) if "api_secret=" in url else url


def shown_body(body: bytes) -> bytes:
    """The same for the bytes of an answer."""
    return _API_SECRET_BYTES.sub(MASK.encode(), body) if b"api_secret=" in body else body


def shown(text: str) -> str:
    """A server may send any bytes, and errors quote them and URLs; a record holds only characters,
    and no secret."""
    text = shown_url(text)
    if "://" in text:
        text = without_userinfo(text)
    text = text[:_MAX_TEXT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()

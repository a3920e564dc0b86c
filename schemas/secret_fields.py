"""Which fields of an action are secret, wherever it stands: in settings, rows and records alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from schemas.headers import is_secret

MASK = "***"
"""Shown in place of a secret; sent back, it stands for the one that is stored."""

Change = Callable[[str, str], str]
"""(path of the field, its secret) → what takes the secret's place."""


class Unopened(str):
    """A secret as it is stored, sealed under a key that is not here.

    It can be kept, masked and replaced like any other; only its meaning is not known. A Target URL
    is one as a whole.
    """

    __slots__ = ()


def with_secrets(action: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The action with each of its secrets replaced; what was given stays as it was.

    Secret are the userinfo of the Target URL (D28), the values of headers whose names say so,
    the `api_secret` of Google Analytics, signing secrets, and the key of a client certificate.
    """
    changed = dict(action)
    url = changed.get("target_url") or ""
    user = userinfo(url)
    if user is not None:
        user = Unopened(user) if isinstance(url, Unopened) else user
        replaced = change("target_url", user)
        whole = url.replace(f"{user}@", f"{replaced}@", 1)
        changed["target_url"] = Unopened(whole) if isinstance(replaced, Unopened) else whole
    if headers := changed.get("headers"):
        changed["headers"] = [
            header | {"value": change(f"headers[{index}].value", header["value"])}
            if is_secret(header["name"])
            else header
            for index, header in enumerate(headers)
        ]
    if secrets := changed.get("signing_secrets"):
        changed["signing_secrets"] = [
            change(f"signing_secrets[{index}]", secret) for index, secret in enumerate(secrets)
        ]
    for group, name in (("google_analytics", "api_secret"), ("tls", "client_key")):
        fields = changed.get(group)
        if fields and fields.get(name):
            changed[group] = fields | {name: change(f"{group}.{name}", fields[name])}
    return changed


def userinfo(url: str | None) -> str | None:
    """What stands before the @ of a URL; None without one."""
    found, at, _ = urlsplit(url or "").netloc.rpartition("@")
    return found if at else None

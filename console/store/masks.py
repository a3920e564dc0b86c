"""Secrets in actions: never given out, and kept when the mask comes back in their place.

Secret are a Measurement Protocol `api_secret`, the userinfo of a target URL (D28), and the values
of headers whose names say so (`schemas.headers.is_secret`).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from console.store.entities import Settings
from schemas.headers import is_secret
from streaming.problems import MASK

Faults = list[dict[str, str]]


def mask(settings: Settings) -> Settings:
    """The settings as they may be shown."""
    shown = dict(settings)
    url = shown.get("target_url")
    userinfo = _userinfo(url)
    if url and userinfo is not None:
        shown["target_url"] = url.replace(f"{userinfo}@", f"{MASK}@", 1)
    if analytics := shown.get("google_analytics"):
        shown["google_analytics"] = analytics | {"api_secret": MASK}
    if headers := shown.get("headers"):
        shown["headers"] = [
            header | {"value": MASK} if is_secret(header["name"]) else header for header in headers
        ]
    return shown


def unmask(settings: Settings, stored: Settings | None, path: str = "") -> tuple[Settings, Faults]:
    """The settings with stored secrets in place of masks, and the masks that stand for nothing."""
    faults: Faults = []
    revealed, stored = dict(settings), stored or {}
    if _userinfo(settings.get("target_url")) == MASK:
        _reveal_user(revealed, stored, path, faults)
    analytics: dict[str, Any] | None = settings.get("google_analytics")
    if analytics and analytics["api_secret"] == MASK:
        if known := stored.get("google_analytics"):
            secret = {"api_secret": known["api_secret"]}
            revealed["google_analytics"] = analytics | secret
        else:
            faults.append(_fault(path + "google_analytics.api_secret", MASK, "secret"))
    if any(_is_masked(header) for header in settings.get("headers", ())):
        _reveal_headers(revealed, stored, path, faults)
    return revealed, faults


def _reveal_user(revealed: Settings, stored: Settings, path: str, faults: Faults) -> None:
    url, known = revealed["target_url"], stored.get("target_url")
    # To another server the password must not go just because somebody edited the host.
    if _userinfo(known) is not None and _server(known) == _server(url):
        revealed["target_url"] = url.replace(f"{MASK}@", f"{_userinfo(known)}@", 1)
    else:
        faults.append(_fault(path + "target_url", url, "user and password"))


def _reveal_headers(revealed: Settings, stored: Settings, path: str, faults: Faults) -> None:
    known = {}
    # Nor may a key go to another server.
    if _server(stored.get("target_url")) == _server(revealed.get("target_url")):
        known = {header["name"].lower(): header["value"] for header in stored.get("headers", ())}
    headers = []
    for index, header in enumerate(revealed["headers"]):
        secret = known.get(header["name"].lower())
        if not _is_masked(header):
            headers.append(header)
        elif secret is not None:
            headers.append(header | {"value": secret})
        else:
            faults.append(_fault(f"{path}headers[{index}].value", MASK, "value"))
    revealed["headers"] = headers


def _is_masked(header: dict[str, str]) -> bool:
    return header["value"] == MASK and is_secret(header["name"])


def _fault(path: str, given: str, what: str) -> dict[str, str]:
    reason = f"is masked and there is none stored that it could stand for; write the {what}"
    return {"path": path, "reason": reason, "given": given}


def _userinfo(url: str | None) -> str | None:
    userinfo, at, _ = urlsplit(url or "").netloc.rpartition("@")
    return userinfo if at else None


def _server(url: str | None) -> tuple[str, str]:
    parts = urlsplit(url or "")
    return parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()

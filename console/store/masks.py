"""Secrets in actions: never given out, and kept when the mask comes back in their place.

Secret are a Measurement Protocol `api_secret` and the userinfo of a target URL (D28).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from console.store.entities import Settings
from streaming.problems import MASK, masked, without_userinfo


def mask(settings: Settings) -> Settings:
    """The settings as they may be shown."""
    if url := settings.get("target_url"):
        settings = settings | {"target_url": without_userinfo(url)}
    return settings if "google_analytics" not in settings else masked(settings)


def unmask(
    settings: Settings, stored: Settings | None, path: str = ""
) -> tuple[Settings, list[dict[str, str]]]:
    """The settings with stored secrets in place of masks, and the masks that stand for nothing."""
    stored = stored or {}
    faults = []
    if _userinfo(settings.get("target_url")) == MASK:
        url, known = settings["target_url"], stored.get("target_url")
        # To another server the password must not go just because somebody edited the host.
        if _userinfo(known) is not None and _server(known) == _server(url):
            with_secret = url.replace(f"{MASK}@", f"{_userinfo(known)}@", 1)
            settings = settings | {"target_url": with_secret}
        else:
            faults.append(_fault(path + "target_url", url, "user and password"))
    analytics: dict[str, Any] | None = settings.get("google_analytics")
    if analytics and analytics["api_secret"] == MASK:
        known = stored.get("google_analytics")
        if known:
            settings = settings | {
                "google_analytics": analytics | {"api_secret": known["api_secret"]}
            }
        else:
            faults.append(_fault(path + "google_analytics.api_secret", MASK, "secret"))
    return settings, faults


def _fault(path: str, given: str, what: str) -> dict[str, str]:
    reason = f"is masked and there is none stored that it could stand for; write the {what}"
    return {"path": path, "reason": reason, "given": given}


def _userinfo(url: str | None) -> str | None:
    userinfo, at, _ = urlsplit(url or "").netloc.rpartition("@")
    return userinfo if at else None


def _server(url: str | None) -> tuple[str, str]:
    parts = urlsplit(url or "")
    return parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()

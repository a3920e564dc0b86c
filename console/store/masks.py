"""Secrets in actions: never given out, and kept when the mask comes back in their place.

Which fields are secret, `schemas.secret_fields` knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from console.store.entities import Settings
from schemas.headers import is_secret
from schemas.refusals import Refusals
from schemas.secret_fields import MASK, Unopened, userinfo, with_secrets
from schemas.signing import check_signing_secrets
from schemas.tls import check_pair
from streaming.problems import errors_of

Faults = list[dict[str, str]]


def mask(settings: Settings) -> Settings:
    """The settings as they may be shown."""
    return with_secrets(settings, lambda *_: MASK)


def unmask(settings: Settings, stored: Settings | None, path: str = "") -> tuple[Settings, Faults]:
    """The settings with stored secrets in place of masks, and the masks that stand for nothing."""
    faults: Faults = []
    revealed, stored = dict(settings), stored or {}
    if userinfo(settings.get("target_url")) == MASK:
        _reveal_user(revealed, stored, path, faults)
    analytics: dict[str, Any] | None = settings.get("google_analytics")
    if analytics and analytics["api_secret"] == MASK:
        if known := stored.get("google_analytics"):
            secret = {"api_secret": known["api_secret"]}
            revealed["google_analytics"] = analytics | secret
        else:
            faults.append(_fault(path + "google_analytics.api_secret", MASK, "secret"))
    # To another server no secret must go just because somebody edited the host.
    if _server(stored.get("target_url")) != _server(settings.get("target_url")):
        stored = {}
    if any(_is_masked(header) for header in settings.get("headers", ())):
        _reveal_headers(revealed, stored, path, faults)
    if MASK in settings.get("signing_secrets", ()):
        _reveal_signing_secrets(revealed, stored, path, faults)
    if settings.get("tls", {}).get("client_key") == MASK:
        _reveal_client_key(revealed, stored, path, faults)
    return revealed, faults


def _reveal_user(revealed: Settings, stored: Settings, path: str, faults: Faults) -> None:
    url, known = revealed["target_url"], stored.get("target_url")
    user = userinfo(known)
    if user is None or _server(known) != _server(url):
        faults.append(_fault(path + "target_url", url, "user and password"))
        return
    whole = url.replace(f"{MASK}@", f"{user}@", 1)
    revealed["target_url"] = Unopened(whole) if isinstance(known, Unopened) else whole


def _reveal_headers(revealed: Settings, stored: Settings, path: str, faults: Faults) -> None:
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


def _reveal_signing_secrets(
    revealed: Settings, stored: Settings, path: str, faults: Faults
) -> None:
    """By their places: the second mask stands for the second that is stored."""
    known = stored.get("signing_secrets", [])
    secrets = []
    for index, secret in enumerate(revealed["signing_secrets"]):
        if secret != MASK:
            secrets.append(secret)
        elif index < len(known):
            secrets.append(known[index])
        else:
            faults.append(_fault(f"{path}signing_secrets[{index}]", MASK, "secret"))
    revealed["signing_secrets"] = secrets
    if not faults:
        faults += _refused(lambda refusals: check_signing_secrets(secrets, refusals), path)


def _reveal_client_key(revealed: Settings, stored: Settings, path: str, faults: Faults) -> None:
    key = stored.get("tls", {}).get("client_key")
    if key is None:
        faults.append(_fault(f"{path}tls.client_key", MASK, "key"))
        return
    tls = revealed["tls"] | {"client_key": key}
    revealed["tls"] = tls
    if not isinstance(key, Unopened):
        certificate = tls["client_certificate"]
        faults += _refused(lambda refusals: check_pair(certificate, key, refusals, "tls"), path)


def _refused(check: Callable[[Refusals], None], path: str) -> Faults:
    """What could not be judged of a mask."""
    refusals = Refusals()
    check(refusals)
    try:
        refusals.settle("Action")
    except ValidationError as error:
        return [fault | {"path": path + fault["path"]} for fault in errors_of(error)]
    return []


def _is_masked(header: dict[str, str]) -> bool:
    return header["value"] == MASK and is_secret(header["name"])


def _fault(path: str, given: str, what: str) -> dict[str, str]:
    reason = f"is masked and there is none stored that it could stand for; write the {what}"
    return {"path": path, "reason": reason, "given": given}


def _server(url: str | None) -> tuple[str, str]:
    parts = urlsplit(url or "")
    return parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()

"""The Target URL, split once into what is called and who calls: D21, D28, D29, D32."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote_plus, unquote, urlsplit, urlunsplit

from yarl import URL

from dispatcher.request import Unsendable

_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f#]")


@dataclass(frozen=True, slots=True)
class Target:
    """Where an action's requests go."""

    url: str
    """Without userinfo, the host in ASCII, static parameters as typed."""
    joint: str
    """What stands between the URL and the first dynamic parameter: `?`, `&` or nothing."""
    authorization: str
    """The Authorization header made of userinfo; empty without."""


def target(url: str) -> Target:
    """Raises `Unsendable` for what cannot be called over HTTP; the message holds no userinfo."""
    try:
        clean, authorization = _split_userinfo(url)
    except ValueError as error:  # saved past our checks; one such action must not stop the rest
        raise Unsendable("unrenderable", f"the Target URL cannot be called: {error}") from error
    return Target(clean, _joint(clean), authorization)


def _joint(url: str) -> str:
    """D29: a trailing `?` or `&` joins cleanly."""
    _, mark, query = url.partition("?")
    if not mark:
        return "?"
    return "" if not query or query.endswith("&") else "&"


def _split(url: str) -> SplitResult:
    """Raises ValueError in our words: Python's own quote what may be half a password (D28)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("its host is none") from None
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("its port is none") from None
    return parts


def _split_userinfo(url: str) -> tuple[str, str]:
    """The URL without userinfo and with an ASCII host, and the Authorization header. D28, D29.

    Path and query stay as typed. Raises ValueError for what cannot be called over HTTP.
    """
    if _NEVER_IN_A_URL.search(url):
        raise ValueError("it holds a control character, a space or a fragment")
    parts = _split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it does not start with http:// or https:// and a host")
    userinfo, _, host = parts.netloc.rpartition("@")
    authorization = ""
    if userinfo:
        # Without a colon there is a name and an empty password.
        name, _, password = userinfo.partition(":")
        credentials = f"{unquote(name)}:{unquote(password)}".encode()
        authorization = "Basic " + base64.b64encode(credentials).decode()
    if not host.isascii():
        name, colon, port = host.partition(":")
        # Not Python's own IDNA, of 2003: it would call fass.de where faß.de is meant.
        host = f"{URL.build(scheme=parts.scheme, host=name).raw_host}{colon}{port}"
    path = parts.path or "/"
    if not path.isascii():
        path = "".join(c if c.isascii() else quote_plus(c) for c in path)
    query = parts.query
    if not query.isascii():
        query = "".join(c if c.isascii() else quote_plus(c) for c in query)
    clean = urlunsplit((parts.scheme, host, path, query, ""))
    # urlunsplit drops an empty query with its question mark; as typed means as typed.
    if not query and url.endswith("?"):
        clean += "?"
    return clean, authorization

"""The Target URL: what can be called over HTTP, as typed (D21, D27 to D29, D32)."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import idna
from pydantic import AfterValidator, StringConstraints
from yarl import URL

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_MAX_HOST = 253
_EXAMPLE = "write http://example.com/handler or the like"


def _target_url(url: str) -> str:
    """The URL as it was given. Raises ValueError with what is wrong and what is allowed.

    No message repeats the user and password that a URL may hold (D28).
    """
    if _CONTROL.search(url):
        raise ValueError("holds a control character (a line break, a tab); remove it")  # D29
    if url != url.strip():
        raise ValueError("holds a space at its start or end; remove it")  # D29
    if " " in url:
        raise ValueError(f"holds a space; write {_without_userinfo(url).replace(' ', '%20')!r}")
    if "#" in url:  # D27
        raise ValueError("holds a fragment (#…), which is never sent to a server; remove it")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"is not a URL: {error}") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise ValueError(f"must start with http:// or https://; {_EXAMPLE}")
    _check_userinfo(parts)
    _check_port(parts)
    _check_host(parts)
    return url


def _check_userinfo(parts: SplitResult) -> None:
    """D28: it is decoded and becomes an `Authorization: Basic` header."""
    userinfo, at, _ = parts.netloc.rpartition("@")
    if not at:
        return
    if _BROKEN_ESCAPE.search(userinfo):
        raise ValueError("holds a % before the @ that begins no escape; write it as %25")
    name = unquote(userinfo.partition(":")[0])
    if not name:
        raise ValueError("holds an @ with no user before it; write user:password@ or remove it")
    if ":" in name:
        raise ValueError("holds a user with a colon, which Basic authorization cannot carry")
    if _CONTROL.search(unquote(userinfo)):
        raise ValueError("holds an escaped control character before the @; remove it")


def _check_port(parts: SplitResult) -> None:
    host = parts.netloc.rpartition("@")[2]
    try:
        port = parts.port
    except ValueError:
        port = 0
    # Python's own message would quote what stands there, which may be half a password.
    if port == 0 or host.endswith(":"):
        raise ValueError(
            "holds no port after the colon; write a number from 1 to 65535, and / in a password"
            " as %2F"
        )


def _check_host(parts: SplitResult) -> None:
    """D29. Names are judged by IDNA 2008 with the mapping of UTS 46, as browsers do."""
    host = parts.hostname
    if not host:
        raise ValueError(f"names no host; {_EXAMPLE}")
    if ":" in host:  # an IPv6 address, which urlsplit has looked at
        return
    if "[" in parts.netloc:
        raise ValueError("holds brackets that enclose no IPv6 address")
    if host.isascii():
        ascii_host = host
    else:
        try:
            ascii_host = idna.encode(host, uts46=True).decode()
            # It is stricter, and what the dispatcher calls hosts with, but for names that IDNA
            # refuses falls back to the IDNA of 2003, which calls other hosts.
            URL.build(scheme="https", host=host)
        except ValueError as error:
            raise ValueError(
                f"names a host that IDNA refuses ({error}); correct it, or write it in its ASCII"
                " form, xn--…"
            ) from error
    labels = ascii_host.removesuffix(".").split(".")
    if len(ascii_host) > _MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(
            f"names the host {host[:100]!r}; allowed are parts of 1 to 63 letters, digits and"
            f" hyphens, joined by dots, {_MAX_HOST} characters in all"
        )


def _without_userinfo(url: str) -> str:
    """For messages: `://…@` cut out, the last @ of the whole text counting."""
    return re.sub(r"(?<=://).*@", "***@", url)


TargetUrl = Annotated[str, StringConstraints(max_length=8000), AfterValidator(_target_url)]


def static_names(url: str) -> frozenset[str]:
    """The decoded names of a Target URL's static parameters, to compare with dynamic ones (D30)."""
    return frozenset(name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True))


def has_user(url: str) -> bool:
    """Whether a Target URL makes an `Authorization` header (D28)."""
    return "@" in urlsplit(url).netloc

"""From a dispatch to its HTTP request: D20 to D33, as pure functions.

What an action always sends is worked out once, in `compile_action`; a dispatch only fills in.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote, urlsplit, urlunsplit

from yarl import URL

from schemas.placeholders import PLACEHOLDERS, Value
from schemas.released import Record

MAX_URL = 8000
"""Characters; servers and proxies differ above it (D33)."""
USER_AGENT = "PostCallAction/1"
_FORM = "application/x-www-form-urlencoded"
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f#]")


class Unsendable(ValueError):
    """No request can be made of this dispatch; trying again does not help.

    `error` is its class, one of `outcome.Error`.
    """

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over the wire. The URL is encoded; nothing may encode it again."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class CompiledAction:
    """An action ready to be filled in."""

    action_id: str
    method: str
    url: str
    """Without userinfo, the host in ASCII, static parameters as typed."""
    joint: str
    """What stands between the URL and the first dynamic parameter: `?`, `&` or nothing."""
    pairs: tuple[tuple[str, Value], ...]
    """`name=`, encoded, and the function that gives the value."""
    headers: dict[str, str]
    """The same for every request of the action."""

    def request(self, dispatch: Record) -> Request:
        """The request for a Dispatch record (its `action` is not looked at).

        Raises `Unsendable` with `url_too_long` or `unrenderable`.
        """
        try:
            filled = "&".join([name + encoded(value(dispatch)) for name, value in self.pairs])
        except Exception as error:  # a time in the year 300,000: one call must not stop the rest
            raise Unsendable("unrenderable", f"a value cannot be written: {error!r}") from error
        headers = {**self.headers, "webhook-id": dispatch["dispatch_id"]}
        if self.method == "POST":
            return Request("POST", self.url, headers, filled.encode())
        url = self.url + self.joint + filled if filled else self.url
        if len(url) > MAX_URL:
            raise Unsendable(
                "url_too_long",
                f"the URL has {len(url):,} characters, {MAX_URL:,} may be sent; use POST, or fewer"
                " parameters",
            )
        return Request("GET", url, headers, None)


def encoded(text: str) -> str:
    """UTF-8, percent-encoded, space as `+`; what is no character becomes U+FFFD. D24."""
    try:
        return quote_plus(text)
    except UnicodeEncodeError:
        return quote_plus(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def compile_action(action: Record) -> CompiledAction:
    """Everything about an Action record that is the same for all its dispatches.

    Raises `Unsendable` for an action that this version cannot send.
    """
    if action["option"] != "call_detail" or action["method"] not in ("GET", "POST"):
        raise Unsendable(
            "unsupported",
            f"option {action['option']!r} with method {action['method']!r} cannot be sent by this"
            " version; the dispatch is kept",
        )
    try:
        url, authorization = _split_userinfo(action["target_url"])
    except ValueError as error:  # saved past our checks; one such action must not stop the rest
        raise Unsendable(
            "unrenderable", f"{action['target_url'][:200]!r} cannot be called: {error}"
        ) from error
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
    if authorization:
        headers["Authorization"] = authorization
    if action["method"] == "POST":
        headers["Content-Type"] = _FORM
    return CompiledAction(
        action_id=action["action_id"],
        method=action["method"],
        url=url,
        joint=_joint(url),
        pairs=tuple(_pair(p["name"], p["placeholder"]) for p in action["parameters"]),
        headers=headers,
    )


def _pair(name: str, placeholder: str) -> tuple[str, Value]:
    known = PLACEHOLDERS.get(placeholder)
    if known is None:
        raise Unsendable("unsupported", f"placeholder {placeholder!r} is unknown to this version")
    return encoded(name) + "=", known.value


def _joint(url: str) -> str:
    """D29: a trailing `?` or `&` joins cleanly."""
    _, mark, query = url.partition("?")
    if not mark:
        return "?"
    return "" if not query or query.endswith("&") else "&"


def _split_userinfo(url: str) -> tuple[str, str]:
    """The URL without userinfo and with an ASCII host, and the Authorization header. D28, D29.

    Path and query stay as typed. Raises ValueError for what cannot be called over HTTP.
    """
    if _NEVER_IN_A_URL.search(url):
        raise ValueError("it holds a control character, a space or a fragment")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it does not start with http:// or https:// and a host")
    _ = parts.port  # raises for one that is no number or out of range
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

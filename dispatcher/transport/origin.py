"""A URL as the wire needs it: whom to connect to, and what is asked of them."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address

from dispatcher.hosts import literal
from dispatcher.request import DEFAULT_TLS, Outline, Tls
from dispatcher.transport import TransportError
from schemas.headers import HEADER_NAME, OURS

_KEPT = 65_536
_PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:(?P<name>[a-z0-9._~-]+)|\[(?P<v6>[0-9a-f:.]+(?:%25[a-z0-9._~-]+)?)\])"
    r"(?::(?P<port>[0-9]{0,5}))?(?=[/?#]|$)",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def check_name(name: str) -> str:
    """The same name. Raises `TransportError` for what is none, or for one that frames a message."""
    if not HEADER_NAME.fullmatch(name):
        raise TransportError("protocol", f"{name[:100]!r} is no name of a header or method")
    if name.lower() in OURS:
        raise TransportError("protocol", f"the header {name} is for the transport alone to set")
    return name


class Origin:
    """Scheme, host, port and TLS: whatever shares them can share connections.

    Compared by identity; `Origins` makes one of each.
    """

    __slots__ = ("host", "host_bytes", "host_line", "is_literal", "port", "secure", "tls")

    def __init__(self, scheme: str, host: str, port: int, tls: Tls) -> None:
        self.secure = scheme == "https"
        self.host = host
        """A name in lower case without a dot at its end, or an address without brackets."""
        self.port = port
        self.tls = tls
        self.is_literal = literal(host) is not None
        """There is nothing to look up."""
        # A zone says which of our interfaces; it is nobody else's business.
        shown = f"[{host.partition('%')[0]}]" if ":" in host else host
        if port != _PORTS[scheme]:
            shown += f":{port}"
        self.host_line = f" HTTP/1.1\r\nHost: {shown}\r\n"
        """What follows the target in a request's head."""
        self.host_bytes = self.host_line.encode()


class Place:
    """Where the requests of an action go."""

    def __init__(self, origin: Origin, line: bytes, start: bytes) -> None:
        self.origin = origin
        self.line = line
        """Method and target: `GET /path?query`."""
        self.start = start
        """The same up to where something is filled in."""


class Origins:
    """Origins by the start of a URL, so that what they share is taken apart once."""

    def __init__(self) -> None:
        self._plain: dict[str, Origin] = {}
        self._with_tls: dict[tuple[str, Tls], Origin] = {}
        self._places: dict[Outline, Place] = {}

    def place(self, outline: Outline) -> Place:
        """Raises `TransportError` as `split` does."""
        place = self._places.get(outline)
        if place is None:
            origin, target = self.split(outline.url, outline.tls)
            _, start = self.split(outline.url + outline.joint, outline.tls)
            method = check_name(outline.method)
            place = Place(origin, f"{method} {target}".encode(), f"{method} {start}".encode())
            if len(self._places) >= _KEPT:
                del self._places[next(iter(self._places))]
            self._places[outline] = place
        return place

    def split(self, url: str, tls: Tls = DEFAULT_TLS) -> tuple[Origin, str]:
        """The origin and the target of a request: `/path?query`, byte for byte as in the URL.

        Raises `TransportError` for what is no http or https URL, or is not encoded.
        """
        end = url.find("/", 8)
        start = url[:end] if end > 0 else url
        origin = self._known(start, tls)
        if origin is None:
            origin, start = self._add(url, tls)
        target = url[len(start) :]
        if not (target.isascii() and target.isprintable()) or " " in target:
            raise TransportError("protocol", "the URL holds a character that is not encoded")
        if "#" in target:
            target = target.partition("#")[0]
        return origin, target if target.startswith("/") else "/" + target

    def _add(self, url: str, tls: Tls) -> tuple[Origin, str]:
        # The URL itself stays out of the message: it may hold a password.
        found = _ORIGIN.match(url)
        if found is None:
            raise TransportError("protocol", "the URL is none that can be called")
        scheme = found["scheme"].lower()
        host = (found["name"] or found["v6"]).lower().removesuffix(".")
        port = int(found["port"] or _PORTS[scheme])
        if port > 65_535 or not host:
            raise TransportError("protocol", "the URL is none that can be called")
        if found["v6"]:
            host = host.replace("%25", "%")
            try:
                IPv6Address(host.partition("%")[0])
            except ValueError:
                raise TransportError("protocol", "the URL's host is no IPv6 address") from None
        start = found[0]
        canonical = f"{scheme}://{host}:{port}"
        # Several ways to write one origin share it.
        origin = self._known(canonical, tls) or Origin(scheme, host, port, tls)
        self._keep(canonical, tls, origin)
        self._keep(start, tls, origin)
        return origin, start

    def _known(self, start: str, tls: Tls) -> Origin | None:
        return self._plain.get(start) if tls is DEFAULT_TLS else self._with_tls.get((start, tls))

    def _keep(self, start: str, tls: Tls, origin: Origin) -> None:
        # An origin that falls out and comes again only finds no kept connection.
        if tls is DEFAULT_TLS:
            if len(self._plain) >= _KEPT:
                del self._plain[next(iter(self._plain))]
            self._plain[start] = origin
        else:
            if len(self._with_tls) >= _KEPT:
                del self._with_tls[next(iter(self._with_tls))]
            self._with_tls[start, tls] = origin

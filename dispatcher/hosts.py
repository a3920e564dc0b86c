"""What a URL's host means without asking anybody: literal addresses, and names known beforehand."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote

from yarl import URL

from dispatcher.special_addresses import Address

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*")
_LONGEST = 253
"""Characters of a host; a longer one is none, however many zeros it starts with."""

_HERE = (ip_address("127.0.0.1"), ip_address("::1"))
_METADATA = (ip_address("169.254.169.254"), ip_address("fd20:ce::254"))
_KNOWN: dict[str, tuple[Address, ...]] = {
    "localhost": _HERE,
    "localhost.localdomain": _HERE,
    "localhost4": _HERE[:1],
    "localhost4.localdomain4": _HERE[:1],
    "localhost6": _HERE[1:],
    "localhost6.localdomain6": _HERE[1:],
    "ip6-localhost": _HERE[1:],
    "ip6-loopback": _HERE[1:],
    "ip6-allnodes": (ip_address("ff02::1"),),
    "ip6-allrouters": (ip_address("ff02::2"),),
    "broadcasthost": (ip_address("255.255.255.255"),),
    "metadata.google.internal": _METADATA,
    "metadata.goog": _METADATA,
    "instance-data.ec2.internal": _METADATA[:1],
}


def plain(host: str) -> str:
    """The host as it is looked up: decoded, in ASCII and lower case, no brackets or dots around.

    `[::1]` → `::1`, `%6cocalhost.` → `localhost`, `①②⑦.1` → `127.1`, `fe80::1%25eth0` →
    `fe80::1%eth0`. What nobody could look up comes back as it is.
    """
    host = host.removeprefix("[").removesuffix("]")
    # Of an IPv6 address only the percent sign before the zone is encoded (RFC 6874).
    host = host.replace("%25", "%") if ":" in host else unquote(host)
    if not host.isascii():
        host = _ascii(host)
    host, mark, zone = host.partition("%")
    return f"{host.lower().rstrip('.')}{mark}{zone}"


def _ascii(host: str) -> str:
    try:
        return URL.build(scheme="http", host=host).raw_host or ""  # as `target` does
    except ValueError:
        pass
    try:
        return host.encode("idna").decode()  # as `socket.getaddrinfo` does
    except UnicodeError:
        return host


def literal(host: str) -> Address | None:
    """The address that the host is, in any spelling that C's `getaddrinfo` takes for one.

    None for a name. IPv4 goes by the rules of `inet_aton`: one to four numbers, decimal, octal or
    hexadecimal, the last of which fills what is left. Besides, a dot at the end changes nothing,
    and what `plain` undoes is undone.
    """
    host = plain(host)
    if len(host) > _LONGEST:
        return None
    if ":" not in host:
        return _inet_aton(host)
    try:
        return IPv6Address(host)
    except ValueError:
        return None


def _inet_aton(host: str) -> IPv4Address | None:
    parts = host.split(".")
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        return None
    *first, last = map(_number, parts)
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    return IPv4Address(sum(number << 24 - 8 * n for n, number in enumerate(first)) + last)


def _number(text: str) -> int:
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    return int(text, 8 if text.startswith("0") else 10)


def meant(host: str) -> tuple[Address, ...]:
    """The addresses that the name has on every machine (RFC 6761), or every one of a cloud.

    Empty for all other names: they are looked up.
    """
    name = plain(host)
    if name.endswith(".localhost"):
        return _HERE
    return _KNOWN.get(name, ())

"""Addresses that are no customer's server on the internet, and what each of them is.

After the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890, RFC 8190) and IANA's IPv6
address space, in a table of our own: `ipaddress.is_global` answers differently from one version of
Python to the next, and cannot say why. Where networks overlap, the smallest decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Special:
    """A network that requests have no business in."""

    network: Network
    kind: str
    """What an address in it is: `a loopback address`."""
    exact: bool = False
    """Only its own address lets it through, no network that it happens to lie in."""


_PUBLIC = "public"
_LOOPBACK = "a loopback address"
_UNSPECIFIED = "the unspecified address, which reaches this machine"
_PRIVATE = "a private address"
_UNIQUE_LOCAL = "a unique local address, which is private"
_LINK_LOCAL = "a link-local address"
_METADATA = "a cloud's metadata service"
_BENCHMARK = "an address for benchmarks"
_DOCUMENTATION = "an address for documentation"
_MULTICAST = "a multicast address"
_RESERVED = "a reserved address"
_PROTOCOL = "an address of IETF protocol assignments"
_ANYCAST = "an anycast address of a protocol's servers"
_AS112 = "an address of AS112, where queries for private names end"
_AMT = "an anycast address of multicast relays"
_RELAY = "an anycast address of 6to4 relays"
_ORCHID = "an ORCHID, a hash that no packet is routed by"

_METADATA_SERVICES = (
    "169.254.169.254",  # most clouds
    "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23",  # AWS: EC2, ECS, EKS
    "fd20:ce::254",  # Google
    "168.63.129.16",  # Azure; from its public range, and reaches the host of the machine
    "100.100.100.200",  # Alibaba
    "192.0.0.192",  # Oracle
    "169.254.0.23",  # Tencent
    "169.254.42.42", "fd00:42::42",  # Scaleway
)  # fmt: skip
"""They hand out the credentials of whoever asks from the machine, to anybody who can ask."""

_REGISTRY = {
    "0.0.0.0/0": _PUBLIC,
    "0.0.0.0/8": "an address of “this network”",
    "0.0.0.0/32": _UNSPECIFIED,
    "10.0.0.0/8": _PRIVATE,
    "100.64.0.0/10": "a shared address behind carrier-grade NAT",
    "127.0.0.0/8": _LOOPBACK,
    "169.254.0.0/16": _LINK_LOCAL,
    "172.16.0.0/12": _PRIVATE,
    "192.0.0.0/24": _PROTOCOL,
    "192.0.0.9/32": _ANYCAST,
    "192.0.0.10/32": _ANYCAST,
    "192.0.2.0/24": _DOCUMENTATION,
    "192.31.196.0/24": _AS112,
    "192.52.193.0/24": _AMT,
    "192.88.99.0/24": _RELAY,
    "192.168.0.0/16": _PRIVATE,
    "192.175.48.0/24": _AS112,
    "198.18.0.0/15": _BENCHMARK,
    "198.51.100.0/24": _DOCUMENTATION,
    "203.0.113.0/24": _DOCUMENTATION,
    "224.0.0.0/4": _MULTICAST,
    "240.0.0.0/4": _RESERVED,
    "255.255.255.255/32": "the broadcast address",
    # Only 2000::/3 is given out to anybody; the rest of IPv6 is reserved, or in the lines below.
    "::/0": _RESERVED,
    "2000::/3": _PUBLIC,
    "::/128": _UNSPECIFIED,
    "::1/128": _LOOPBACK,
    "100::/64": "an address that discards whatever is sent to it",
    "100:0:0:1::/64": "a dummy address, which nothing is sent to",
    "2001::/23": _PROTOCOL,
    "2001:1::1/128": _ANYCAST,
    "2001:1::2/128": _ANYCAST,
    "2001:1::3/128": _ANYCAST,
    "2001:2::/48": _BENCHMARK,
    "2001:3::/32": _AMT,
    "2001:4:112::/48": _AS112,
    "2001:10::/28": _ORCHID,
    "2001:20::/28": _ORCHID,
    "2001:30::/28": "a drone's remote identity",
    "2001:db8::/32": _DOCUMENTATION,
    "2620:4f:8000::/48": _AS112,
    "3ffe::/16": "an address of the 6bone, which was switched off",
    "3fff::/20": _DOCUMENTATION,
    "5f00::/16": "a segment identifier of SRv6, valid inside one network",
    "fc00::/7": _UNIQUE_LOCAL,
    "fe80::/10": _LINK_LOCAL,
    "fec0::/10": "a site-local address, which is private",
    "ff00::/8": _MULTICAST,
}

SPECIAL = tuple(
    sorted(
        [
            *(Special(ip_network(network), kind) for network, kind in _REGISTRY.items()),
            *(Special(ip_network(one), _METADATA, exact=True) for one in _METADATA_SERVICES),
        ],
        key=lambda special: -special.network.prefixlen,
    )
)
"""The whole of both address spaces, the smallest networks first."""


def special(address: Address) -> Special | None:
    """What the address is; None for one that anybody on the internet can have.

    What an IPv6 address carries inside it is another question: `form`.
    """
    found = next(special for special in SPECIAL if address in special.network)
    return None if found.kind is _PUBLIC else found


@dataclass(frozen=True, slots=True)
class Form:
    """An IPv6 address that stands for IPv4 ones: the packet ends, or is answered, there."""

    name: str
    network: IPv6Network
    embedded: tuple[IPv4Address, ...]
    start: int
    """The bit at which the last of them starts."""
    anywhere: bool = False
    """It is only a custom inside networks of any kind, which are reached as what they are."""

    @property
    def end(self) -> int:
        """The bit after it."""
        return self.start + 32


_AT_THE_END = {
    "::ffff:0:0/96": "an IPv4-mapped form",
    "::ffff:0:0:0/96": "an IPv4-translated form",
    "::/96": "an IPv4-compatible form",
    "64:ff9b::/96": "a NAT64 form",
    # RFC 8215 leaves the place of the IPv4 address to whoever runs it; nearly all use a /96.
    "64:ff9b:1::/48": "a local NAT64 form",
}
_FORMS = tuple((IPv6Network(network), name) for network, name in _AT_THE_END.items())
_6TO4 = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""What stands before the IPv4 address, in the second half of an address of any network."""


def form(address: Address) -> Form | None:
    """How the address carries IPv4 ones; None when it carries none."""
    if isinstance(address, IPv4Address) or int(address) in (0, 1):  # :: and ::1 are themselves
        return None
    bits = int(address)
    last = IPv4Address(bits & 0xFFFF_FFFF)
    for network, name in _FORMS:
        if address in network:
            return Form(name, network, (last,), 96)
    if address in _6TO4:
        return Form("a 6to4 form", _6TO4, (IPv4Address(bits >> 80 & 0xFFFF_FFFF),), 16)
    if address in _TEREDO:  # its server, and its client, which is written inverted
        server, client = IPv4Address(bits >> 64 & 0xFFFF_FFFF), IPv4Address(~bits & 0xFFFF_FFFF)
        return Form("a Teredo form", _TEREDO, (server, client), 96)
    if bits >> 32 & 0xFFFF_FFFF in _ISATAP:
        inside = IPv6Network((bits >> 64 << 64, 64))
        return Form("an ISATAP form", inside, (last,), 96, anywhere=True)
    return None

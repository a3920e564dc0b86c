"""Where requests may go: public addresses, and what the operator lets through besides.

Addresses are judged after resolution, by the resolver that the transport dials from, so the one
that was checked is the one that is used.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("::/96"))
"""NAT64 and IPv4-compatible: the last four bytes are where a packet ends up."""


class Guard:
    """Says which addresses may be dialled."""

    def __init__(self, allowed: Collection[IPv4Network | IPv6Network]) -> None:
        self._allowed = tuple(allowed)
        self.refusal = lru_cache(maxsize=65_536)(self._refusal)
        """Why an address may not be dialled; None when it may. Takes the address as text."""

    def _refusal(self, text: str) -> str | None:
        address = ip_address(text.partition("%")[0])
        reached = _reached(address)
        if any(address in network or reached in network for network in self._allowed):
            return None
        if reached.is_global and not reached.is_multicast and reached not in _LOCAL_NAT64:
            return None
        return (
            f"{text} is not a public address; PCA_DISPATCHER_ALLOW_NETWORKS lets it through where"
            " that is meant"
        )


def _reached(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, where it does; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address

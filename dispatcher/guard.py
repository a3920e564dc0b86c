"""Where requests may go: public addresses, and what the operator lets through besides.

Addresses are judged after resolution, by the resolver that the transport dials from, so the one
that was checked is the one that is used.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address


class Guard:
    """Says which addresses may be dialled."""

    def __init__(self, allowed: Collection[IPv4Network | IPv6Network]) -> None:
        self._allowed = tuple(allowed)
        self.refusal = lru_cache(maxsize=65_536)(self._refusal)
        """Why an address may not be dialled; None when it may. Takes the address as text."""

    def _refusal(self, text: str) -> str | None:
        address = ip_address(text.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self._allowed):
            return None
        if address.is_global and not address.is_multicast:
            return None
        return (
            f"{text} is not a public address; PCA_DISPATCHER_ALLOW_NETWORKS lets it through where"
            " that is meant"
        )

"""Where requests may go: public addresses, and what the operator lets through besides.

A host is judged twice. As it is written, before anything is done: `check`, which saving an action,
trying it out and delivering share. And after resolution, each address that came back: `refusal`,
called by the resolver that the transport dials from, so the address that was checked is the one
that is used.

An IPv6 address that stands for an IPv4 one (IPv4-mapped, NAT64, 6to4, Teredo, ISATAP) is refused
even where that one is public: no customer needs it, and what it reaches is up to translators that
nobody here knows. Where the operator allows the form's network, the embedded address is still
judged as the IPv4 address that it is; where he allows the embedded address, its forms are too.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

from dispatcher.hosts import literal, meant, plain
from dispatcher.special_addresses import Address, Form, Special, form, special

_REMEMBERED = 65_536


class _Fault(NamedTuple):
    kind: str
    allow: IPv4Network | IPv6Network
    """What would let it through."""


class Guard:
    """Says which addresses may be dialled."""

    def __init__(
        self,
        allowed: Collection[IPv4Network | IPv6Network],
        ports: Collection[int] = (),
    ) -> None:
        """`allowed`: networks let through though not public; `ports`: the only ones, or any."""
        self._allowed = tuple(allowed)
        self._ports = frozenset(ports)
        self._refusal = lru_cache(_REMEMBERED)(self._judge_text)
        self._check = lru_cache(_REMEMBERED)(self._judge_host)

    def refusal(self, address: str) -> str | None:
        """Why an address may not be dialled; None when it may. Takes what a resolver answers."""
        return self._refusal(address)

    def check(self, host: str, port: int) -> str | None:
        """Why a URL's host and port may not be called; None when they may.

        Judges literal addresses in any spelling, and names that mean the same everywhere
        (`localhost`); all other names pass, and are judged when they are looked up. Port 0 stands
        for one that is not known yet. Costs a look into a table when asked again.
        """
        return self._check(host, port)

    def _judge_text(self, text: str) -> str | None:
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return f"{text!r} is no address"
        return _told(text, self._judge(address))

    def _judge_host(self, host: str, port: int) -> str | None:
        if port and self._ports and port not in self._ports:
            allowed = ", ".join(map(str, sorted(self._ports)))
            return f"port {port} is not allowed; PCA_DISPATCHER_ALLOW_PORTS allows {allowed}"
        if not plain(host):
            return "there is no host"
        address = literal(host)
        reached = (address,) if address else meant(host)
        faults = [self._judge(address) for address in reached]
        if not faults or None in faults:
            return None
        return _told(_spelt(host, reached[0]), faults[0])

    def _judge(self, address: Address) -> _Fault | None:
        if carries := form(address):
            return self._judge_form(address, carries)
        found = special(address)
        if found is None or self._allows(address, found):
            return None
        return _Fault(found.kind, found.network)

    def _allows(self, address: Address, found: Special | None) -> bool:
        needed = address.max_prefixlen if found and found.exact else 0
        return self._lets_through(address, needed)

    def _lets_through(self, address: Address, bits: int) -> bool:
        """Whether an allowed network of at least so many bits holds the address."""
        return any(network.prefixlen >= bits and address in network for network in self._allowed)

    def _judge_form(self, address: Address, carries: Form) -> _Fault | None:
        founds = [special(embedded) for embedded in carries.embedded]
        exact = any(found and found.exact for found in founds)
        # Only a network that says something of the embedded address speaks for it: 64:ff9b::/96
        # allows NAT64, not what is private behind it.
        if self._lets_through(address, carries.end if exact else carries.start + 1):
            return None
        let_through = self._lets_through(address, 0)
        unnamed = _Fault(f"{carries.name} of {carries.embedded[-1]}", carries.network)
        if carries.anywhere and not let_through:
            return unnamed
        for embedded, found in zip(carries.embedded, founds, strict=True):
            if found and not self._allows(embedded, found):
                return _Fault(f"{carries.name} of {embedded}, {found.kind}", found.network)
        if let_through or any(map(self._allows, carries.embedded, founds)):
            return None
        return unnamed


def _spelt(host: str, address: Address) -> str:
    """The host, and the address where it does not look like it."""
    written = host.removeprefix("[").removesuffix("]")
    return str(address) if written == str(address) else f"{host} means {address}, which"


def _told(what: str, fault: _Fault | None) -> str | None:
    if fault is None:
        return None
    return (
        f"{what} is {fault.kind}; PCA_DISPATCHER_ALLOW_NETWORKS={fault.allow} lets it through where"
        " that is meant"
    )

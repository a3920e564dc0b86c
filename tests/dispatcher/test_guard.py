"""The guard's table: which addresses and spellings of hosts may be called, and which may not."""

# ruff: noqa: RUF001  # full-width digits and letters stand here on purpose

import re
import socket
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.guard import Guard
from dispatcher.resolver import GuardedResolver, Refused
from dispatcher.special_addresses import SPECIAL, form, special

PUBLIC, NONE = "public", "no such address"
LOOPBACK, PRIVATE, LINK_LOCAL = "loopback", "a private", "link-local"
METADATA, RESERVED, MULTICAST = "metadata", "reserved", "multicast address"
PROTOCOL, ANYCAST, AS112, RELAY = "IETF", "anycast address of a protocol", "AS112", "6to4 relays"
BENCHMARK, DOCUMENTATION, ORCHID = "benchmarks", "documentation", "ORCHID"
THIS, UNSPECIFIED, CGNAT, AMT = "“this network”", "unspecified", "carrier-grade", "multicast relays"
ULA, SITE, COMPATIBLE = "unique local", "site-local", "IPv4-compatible"
MAPPED, TRANSLATED, NAT64 = "IPv4-mapped", "IPv4-translated", "NAT64"
SIX_TO_FOUR, TEREDO, ISATAP = "6to4 form", "Teredo", "ISATAP"

RANGES = [
    # what its first and last address are; what stands just before and just after
    ("0.0.0.0/32", UNSPECIFIED, NONE, THIS),
    ("0.0.0.0/8", THIS, NONE, PUBLIC),
    ("10.0.0.0/8", PRIVATE, PUBLIC, PUBLIC),
    ("100.64.0.0/10", CGNAT, PUBLIC, PUBLIC),
    ("100.100.100.200/32", METADATA, CGNAT, CGNAT),
    ("127.0.0.0/8", LOOPBACK, PUBLIC, PUBLIC),
    ("168.63.129.16/32", METADATA, PUBLIC, PUBLIC),
    ("169.254.0.0/16", LINK_LOCAL, PUBLIC, PUBLIC),
    ("169.254.0.23/32", METADATA, LINK_LOCAL, LINK_LOCAL),
    ("169.254.42.42/32", METADATA, LINK_LOCAL, LINK_LOCAL),
    ("169.254.169.254/32", METADATA, LINK_LOCAL, LINK_LOCAL),
    ("169.254.170.2/32", METADATA, LINK_LOCAL, LINK_LOCAL),
    ("169.254.170.23/32", METADATA, LINK_LOCAL, LINK_LOCAL),
    ("172.16.0.0/12", PRIVATE, PUBLIC, PUBLIC),
    ("192.0.0.0/24", PROTOCOL, PUBLIC, PUBLIC),
    ("192.0.0.9/32", ANYCAST, PROTOCOL, ANYCAST),
    ("192.0.0.10/32", ANYCAST, ANYCAST, PROTOCOL),
    ("192.0.0.192/32", METADATA, PROTOCOL, PROTOCOL),
    ("192.0.2.0/24", DOCUMENTATION, PUBLIC, PUBLIC),
    ("192.31.196.0/24", AS112, PUBLIC, PUBLIC),
    ("192.52.193.0/24", AMT, PUBLIC, PUBLIC),
    ("192.88.99.0/24", RELAY, PUBLIC, PUBLIC),
    ("192.168.0.0/16", PRIVATE, PUBLIC, PUBLIC),
    ("192.175.48.0/24", AS112, PUBLIC, PUBLIC),
    ("198.18.0.0/15", BENCHMARK, PUBLIC, PUBLIC),
    ("198.51.100.0/24", DOCUMENTATION, PUBLIC, PUBLIC),
    ("203.0.113.0/24", DOCUMENTATION, PUBLIC, PUBLIC),
    ("224.0.0.0/4", MULTICAST, PUBLIC, RESERVED),
    ("255.255.255.255/32", "broadcast", RESERVED, NONE),
    ("::/128", UNSPECIFIED, NONE, LOOPBACK),
    ("::1/128", LOOPBACK, UNSPECIFIED, COMPATIBLE),
    ("::ffff:0:0/96", MAPPED, RESERVED, RESERVED),
    ("::ffff:0:0:0/96", TRANSLATED, RESERVED, RESERVED),
    ("64:ff9b::/96", NAT64, RESERVED, RESERVED),
    ("64:ff9b:1::/48", NAT64, RESERVED, RESERVED),
    ("100::/64", "discards", RESERVED, "dummy"),
    ("100:0:0:1::/64", "dummy", "discards", RESERVED),
    ("2000::/16", PUBLIC, RESERVED, TEREDO),
    ("2001::/32", TEREDO, PUBLIC, PROTOCOL),
    ("2001:1::1/128", ANYCAST, PROTOCOL, ANYCAST),
    ("2001:1::2/128", ANYCAST, ANYCAST, ANYCAST),
    ("2001:1::3/128", ANYCAST, ANYCAST, PROTOCOL),
    ("2001:1:0:1::/64", PROTOCOL, PROTOCOL, PROTOCOL),
    ("2001:2::/48", BENCHMARK, PROTOCOL, PROTOCOL),
    ("2001:3::/32", AMT, PROTOCOL, PROTOCOL),
    ("2001:4:112::/48", AS112, PROTOCOL, PROTOCOL),
    ("2001:10::/28", ORCHID, PROTOCOL, ORCHID),
    ("2001:20::/28", ORCHID, ORCHID, "drone"),
    ("2001:30::/28", "drone", ORCHID, PROTOCOL),
    ("2001:1ff::/32", PROTOCOL, PROTOCOL, PUBLIC),
    ("2001:db8::/32", DOCUMENTATION, PUBLIC, PUBLIC),
    ("2002::/16", SIX_TO_FOUR, PUBLIC, PUBLIC),
    ("2620:4f:8000::/48", AS112, PUBLIC, PUBLIC),
    ("3ffe::/16", "6bone", PUBLIC, DOCUMENTATION),
    ("3fff::/20", DOCUMENTATION, "6bone", PUBLIC),
    ("4000::/3", RESERVED, PUBLIC, RESERVED),
    ("5f00::/16", "SRv6", RESERVED, RESERVED),
    ("fc00::/7", ULA, RESERVED, RESERVED),
    ("fd00:42::42/128", METADATA, ULA, ULA),
    ("fd00:ec2::23/128", METADATA, ULA, ULA),
    ("fd00:ec2::254/128", METADATA, ULA, ULA),
    ("fd20:ce::254/128", METADATA, ULA, ULA),
    ("fe80::/10", LINK_LOCAL, RESERVED, SITE),
    ("fec0::/10", SITE, LINK_LOCAL, MULTICAST),
    ("ff00::/8", MULTICAST, SITE, NONE),
]

ADDRESSES = [
    ("1.1.1.1", PUBLIC),
    ("93.184.216.34", PUBLIC),
    ("240.0.0.1", RESERVED),
    ("2606:4700::1111", PUBLIC),
    ("2001:4860:4860::8888", PUBLIC),
    ("::2", COMPATIBLE),
    ("::127.0.0.1", "IPv4-compatible form of 127.0.0.1, a loopback"),
    ("::ffff:127.0.0.1", "IPv4-mapped form of 127.0.0.1, a loopback"),
    ("::ffff:1.1.1.1", "IPv4-mapped form of 1.1.1.1;"),
    ("::ffff:0:127.0.0.1", "IPv4-translated form of 127.0.0.1, a loopback"),
    ("64:ff9b::10.0.0.1", "NAT64 form of 10.0.0.1, a private"),
    ("64:ff9b::a9fe:a9fe", "NAT64 form of 169.254.169.254, a cloud's metadata"),
    ("64:ff9b::1.1.1.1", "NAT64 form of 1.1.1.1;"),
    ("64:ff9b:1::10.0.0.1", "local NAT64 form of 10.0.0.1, a private"),
    ("64:ff9b:1:2::8.8.8.8", "local NAT64 form of 8.8.8.8;"),
    ("2002:7f00:1::", "6to4 form of 127.0.0.1, a loopback"),
    ("2002:808:808::1", "6to4 form of 8.8.8.8;"),
    # Teredo: the server as it is, the client inverted
    ("2001:0:7f00:1::f7f7:f7f7", "Teredo form of 127.0.0.1, a loopback"),
    ("2001:0:808:808::80ff:fffe", "Teredo form of 127.0.0.1, a loopback"),
    ("2001:0:808:808::fefe:fefe", "Teredo form of 1.1.1.1;"),
    ("2606:4700::5efe:10.0.0.1", ISATAP),
    ("2606:4700::200:5efe:8.8.8.8", ISATAP),
    ("fe80::5efe:8.8.8.8", ISATAP),
    ("2606:4700::300:5efe:8.8.8.8", PUBLIC),
    ("fe80::1%lo", LINK_LOCAL),
]

SPELLINGS = [
    # one to four numbers, decimal, octal or hexadecimal
    ("127.1", "127.1 means 127.0.0.1, which is a loopback"),
    ("127.0.1", LOOPBACK),
    ("2130706433", LOOPBACK),
    ("0x7f.1", LOOPBACK),
    ("0x7f000001", LOOPBACK),
    ("0X7F.0X0.0X0.0X1", LOOPBACK),
    ("0177.0.0.1", LOOPBACK),
    ("0177.0x0.1", LOOPBACK),
    ("017700000001", LOOPBACK),
    ("0000000000000000177.0.0.1", LOOPBACK),
    ("0", UNSPECIFIED),
    ("0x0", UNSPECIFIED),
    ("00.00.00.00", UNSPECIFIED),
    ("4294967295", "broadcast"),
    ("0xa9fea9fe", METADATA),
    ("2852039166", METADATA),
    ("169.254.43518", METADATA),
    ("0xa.1", PRIVATE),
    ("012.1", PRIVATE),
    ("167772161", PRIVATE),
    ("192.11010049", PRIVATE),
    ("0x01010101", PUBLIC),
    ("16843009", PUBLIC),
    ("1.1", PUBLIC),
    # numbers that make no address are names like others
    ("127.0.0.256", PUBLIC),
    ("256.0.0.1", PUBLIC),
    ("127.0.0.0.1", PUBLIC),
    ("4294967296", PUBLIC),
    ("0x100000000", PUBLIC),
    ("128.16777216", PUBLIC),
    ("0189.0.0.1", PUBLIC),
    ("127..1", PUBLIC),
    ("0x7g.1", PUBLIC),
    ("-127.1", PUBLIC),
    # dots at the end
    ("127.0.0.1.", LOOPBACK),
    ("127.1.", LOOPBACK),
    ("2130706433.", LOOPBACK),
    ("10.0.0.1..", PRIVATE),
    ("1.1.1.1.", PUBLIC),
    # IPv6, in brackets and without
    ("[::1]", LOOPBACK),
    ("[0:0:0:0:0:0:0:1]", LOOPBACK),
    ("[0000:0000:0000:0000:0000:0000:0000:0001]", LOOPBACK),
    ("[::ffff:7f00:1]", MAPPED),
    ("[::FFFF:7F00:1]", MAPPED),
    ("[::ffff:127.0.0.1]", MAPPED),
    ("[FD00:EC2::254]", METADATA),
    ("fe80::1%25eth0", LINK_LOCAL),
    ("[fe80::1%25eb0]", LINK_LOCAL),
    ("[fe80::1%eb0]", LINK_LOCAL),
    ("[::1%25lo]", LOOPBACK),
    ("[2606:4700::1111]", PUBLIC),
    # percent-encoded
    ("%31%32%37.0.0.1", LOOPBACK),
    ("127%2e0%2E0%2e1", LOOPBACK),
    ("%3a%3a1", LOOPBACK),
    ("%6cocalhost", LOOPBACK),
    ("1%2e1%2e1%2e1", PUBLIC),
    # what IDNA makes digits and dots of
    ("１２７.0.0.1", LOOPBACK),
    ("127。0。0。1", LOOPBACK),
    ("127．0．0．1", LOOPBACK),
    ("①②⑦.0.0.1", LOOPBACK),
    ("①⑥⑨.②⑤④.①⑥⑨.②⑤④", METADATA),
    ("0ｘ7f.1", LOOPBACK),
    ("127.0.0.\u00ad1", LOOPBACK),
    ("ｌｏｃａｌｈｏｓｔ", LOOPBACK),
    ("%E2%91%A0%E2%91%A1%E2%91%A6.0.0.1", LOOPBACK),
    ("bücher.example", PUBLIC),
    # names that mean the same everywhere
    ("localhost", "localhost means 127.0.0.1, which is a loopback"),
    ("LocalHost", LOOPBACK),
    ("localhost.", LOOPBACK),
    ("crm.localhost", LOOPBACK),
    ("a.b.LOCALHOST.", LOOPBACK),
    ("localhost.localdomain", LOOPBACK),
    ("localhost4", LOOPBACK),
    ("localhost6.localdomain6", LOOPBACK),
    ("ip6-localhost", LOOPBACK),
    ("ip6-loopback", LOOPBACK),
    ("ip6-allnodes", MULTICAST),
    ("ip6-allrouters", MULTICAST),
    ("broadcasthost", "broadcast"),
    ("metadata.google.internal", METADATA),
    ("METADATA.google.internal.", METADATA),
    ("metadata.goog", METADATA),
    ("instance-data.ec2.internal", METADATA),
    # names that are looked up, and judged then
    ("example.com", PUBLIC),
    ("localhost.example.com", PUBLIC),
    ("notlocalhost", PUBLIC),
    ("127.0.0.1.nip.io", PUBLIC),
    ("0x7f.1.example", PUBLIC),
    ("", "no host"),
    ("[]", "no host"),
    (".", "no host"),
]


def edges():
    for text, kind, before, after in RANGES:
        network = ip_network(text)
        first, last = network[0], network[-1]
        rows = {first: kind, last: kind} if not nested(first, last) else {last: kind}
        if before != NONE:
            rows[first - 1] = before
        if after != NONE:
            rows[last + 1] = after
        yield from ((str(address), kind) for address, kind in rows.items())


def nested(first, last):
    """Whether the first address is something smaller, with a row of its own."""
    return first in (ip_address("0.0.0.0"), ip_address("2001:1::")) and first != last


EDGES = list(dict.fromkeys(edges()))


def test_the_table_is_complete_and_without_contradiction():
    told = {ip_network(network) for network, *_ in RANGES}
    everything = {ip_network(one) for one in ("0.0.0.0/0", "::/0", "2000::/3")}
    larger = {ip_network(one) for one in ("240.0.0.0/4", "2001::/23")}  # their edges are in it
    assert {one.network for one in SPECIAL} - told == everything | larger
    assert len(EDGES) == len(dict(EDGES)) >= 180
    assert len({host for host, _ in SPELLINGS}) == len(SPELLINGS) >= 80


def is_told(refusal, kind):
    if kind == PUBLIC:
        assert refusal is None
    else:
        assert refusal is not None
        assert kind in refusal


@pytest.mark.parametrize(("address", "kind"), EDGES + ADDRESSES)
def test_an_address(address, kind):
    is_told(Guard([]).refusal(address), kind)
    is_told(Guard([]).check(address, 443), kind)


@pytest.mark.parametrize(("host", "kind"), SPELLINGS)
def test_a_host_as_it_is_written(host, kind):
    is_told(Guard([]).check(host, 443), kind)


@pytest.mark.parametrize(("address", "kind"), EDGES + ADDRESSES)
async def test_a_name_that_resolves_to_an_address(monkeypatch, address, kind):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    answer = [(family, socket.SOCK_STREAM, 6, "", (address, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **named: answer)
    resolver = GuardedResolver(Guard([]))
    if kind == PUBLIC:
        (found,) = await resolver.resolve("customer.example", 443)
        assert (found["host"], found["port"]) == (address, 443)
        return
    with pytest.raises(Refused) as refused:
        await resolver.resolve("customer.example", 443)
    assert str(refused.value).startswith("customer.example: ")
    is_told(str(refused.value), kind)


@pytest.mark.parametrize(("host", "kind"), SPELLINGS)
async def test_a_host_that_the_resolver_is_asked_for(monkeypatch, host, kind):
    def nobody_knows(*args, **named):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody_knows)
    try:
        (found,) = await GuardedResolver(Guard([])).resolve(host, 80)
    except Refused as refused:
        is_told(str(refused), kind)
    except socket.gaierror:
        assert kind == PUBLIC
    else:
        assert kind == PUBLIC
        assert ip_address(found["host"]).is_global  # a literal, in its plain spelling


def test_a_refusal_says_what_it_is_and_what_would_let_it_through():
    assert Guard([]).refusal("127.0.0.1") == (
        "127.0.0.1 is a loopback address; PCA_DISPATCHER_ALLOW_NETWORKS=127.0.0.0/8 lets it"
        " through where that is meant"
    )
    assert Guard([]).check("0x7f.1", 80).startswith("0x7f.1 means 127.0.0.1, which is a loopback")
    assert Guard([]).refusal("64:ff9b::7f00:1") == (
        "64:ff9b::7f00:1 is a NAT64 form of 127.0.0.1, a loopback address;"
        " PCA_DISPATCHER_ALLOW_NETWORKS=127.0.0.0/8 lets it through where that is meant"
    )


def test_what_is_no_address_is_refused():
    assert "is no address" in Guard([]).refusal("localhost")
    assert "is no address" in Guard([ip_network("0.0.0.0/0")]).refusal("")


# what the operator allows

ALLOWED = [
    # (networks, address, may it be called)
    ("10.0.0.0/8", "10.1.2.3", True),
    ("10.0.0.0/8", "192.168.0.1", False),
    ("10.0.0.0/8", "::ffff:10.1.2.3", True),
    ("10.0.0.0/8", "64:ff9b::10.1.2.3", True),
    ("10.0.0.0/8", "2002:a01:203::", True),
    ("10.0.0.0/8", "64:ff9b::192.168.0.1", False),
    ("10.0.0.0/8", "fe80::5efe:10.0.0.1", False),
    ("fc00::/7", "fd00::1", True),
    ("fc00::/7", "fe80::1", False),
    ("::1/128", "::1", True),
    ("::1/128", "127.0.0.1", False),
    ("127.0.0.0/8", "127.1", True),
    ("127.0.0.0/8", "::1", False),
    ("127.0.0.0/8", "localhost", True),
    ("::1/128", "localhost", True),
    ("127.0.0.0/8", "ip6-localhost", False),
    ("10.0.0.0/8", "localhost", False),
    # each family for itself
    ("0.0.0.0/0", "10.0.0.1", True),
    ("0.0.0.0/0", "::1", False),
    ("0.0.0.0/0", "fd00::1", False),
    ("0.0.0.0/0", "fe80::1", False),
    ("0.0.0.0/0", "fe80::5efe:10.0.0.1", False),
    ("0.0.0.0/0", "fd00::5efe:10.0.0.1", False),
    ("0.0.0.0/0", "::ffff:10.0.0.1", True),
    ("::/0", "::1", True),
    ("::/0", "127.0.0.1", False),
    # a form's own network allows the form, not what it may hide
    ("::/0", "::ffff:127.0.0.1", False),
    ("::/0", "64:ff9b::10.0.0.1", False),
    ("::/0", "2606:4700::5efe:10.0.0.1", False),
    ("64:ff9b::/96", "64:ff9b::1.1.1.1", True),
    ("64:ff9b::/96", "64:ff9b::10.0.0.1", False),
    ("64:ff9b::/96", "64:ff9b::169.254.169.254", False),
    ("64:ff9b::/96,10.0.0.0/8", "64:ff9b::10.0.0.1", True),
    ("64:ff9b::a00:0/104", "64:ff9b::10.0.0.1", True),
    ("64:ff9b::a00:0/104", "64:ff9b::192.168.0.1", False),
    ("64:ff9b:1::/48", "64:ff9b:1::8.8.8.8", True),
    ("64:ff9b:1::/48", "64:ff9b:1::10.0.0.1", False),
    ("::ffff:0:0/96", "::ffff:1.1.1.1", True),
    ("2002::/16", "2002:808:808::1", True),
    ("2002::/16", "2002:7f00:1::1", False),
    ("2002:7f00::/24", "2002:7f00:1::1", True),
    ("2001::/32", "2001:0:808:808::fefe:fefe", True),
    ("2001::/32", "2001:0:808:808::80ff:fffe", False),
    ("2001::/32", "2001:0:7f00:1::fefe:fefe", False),
    ("1.1.1.0/24", "2001:0:7f00:1::fefe:fefe", False),
    ("1.1.1.0/24", "::ffff:1.1.1.1", True),
    ("2606:4700::/32", "2606:4700::5efe:8.8.8.8", True),
    # a metadata service only under its own address
    ("169.254.0.0/16", "169.254.1.1", True),
    ("169.254.0.0/16", "169.254.169.254", False),
    ("0.0.0.0/0", "169.254.169.254", False),
    ("169.254.169.254/32", "169.254.169.254", True),
    ("169.254.169.254/32", "0xa9fea9fe", True),
    ("169.254.169.254/32", "64:ff9b::a9fe:a9fe", True),
    ("64:ff9b::a900:0/104", "64:ff9b::a9fe:a9fe", False),
    ("64:ff9b::a9fe:a9fe/128", "64:ff9b::a9fe:a9fe", True),
    ("100.64.0.0/10", "100.100.100.200", False),
    ("fd00::/8", "fd00:ec2::254", False),
    ("fd00::/8", "fd00:ec2::253", True),
    ("169.254.169.254/32", "metadata.google.internal", True),
]


@pytest.mark.parametrize(("networks", "host", "may"), ALLOWED)
def test_what_the_operator_allows_and_no_more(networks, host, may):
    guard = Guard([ip_network(network) for network in networks.split(",")])
    assert (guard.check(host, 80) is None) is may


@given(st.ip_addresses())
def test_what_a_refusal_proposes_lets_the_address_through(address):
    allowed = []
    while refusal := Guard(allowed).refusal(str(address)):
        (proposed,) = re.findall(r"PCA_DISPATCHER_ALLOW_NETWORKS=(\S+)", refusal)
        allowed.append(ip_network(proposed))
        assert len(allowed) <= 3  # a tunnel, and both of the addresses in it


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_not_to_be(address):
    if Guard([]).refusal(str(address)) is None:
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=6))
def test_no_allowed_network_of_ipv4_lets_through_what_carries_no_ipv4_address(address):
    if special(address) and not form(address):
        assert Guard([ip_network("0.0.0.0/0")]).refusal(str(address)) is not None


# ports


@pytest.mark.parametrize(
    ("port", "may"), [(443, True), (8443, True), (80, False), (22, False), (0, True)]
)
def test_only_ports_that_are_allowed_may_be_called(port, may):
    assert (Guard([], [8443, 443]).check("example.com", port) is None) is may


def test_any_port_may_be_called_where_none_are_named():
    assert not [port for port in (1, 22, 25, 6379, 65535) if Guard([]).check("example.com", port)]


def test_the_refusal_of_a_port_says_which_are_allowed():
    assert Guard([], [8443, 443]).check("example.com", 22) == (
        "port 22 is not allowed; PCA_DISPATCHER_ALLOW_PORTS allows 443, 8443"
    )


def test_an_allowed_port_allows_no_address():
    assert LOOPBACK in Guard([], [80]).check("127.0.0.1", 80)


async def test_the_resolver_refuses_ports_too():
    with pytest.raises(Refused, match="port 22"):
        await GuardedResolver(Guard([], [443])).resolve("1.1.1.1", 22)

"""Hosts that are addresses: read as the system's own resolver reads them."""

import socket
from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.guard import Guard
from dispatcher.hosts import literal, meant, plain


def of_the_system(host, family):
    """What C's getaddrinfo takes the host for without asking anybody; None for a name."""
    try:
        found = socket.getaddrinfo(
            host.encode(), None, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST
        )
    except socket.gaierror:
        return None
    return ip_address(found[0][4][0])


def by_inet_aton(host):
    try:
        return ip_address(socket.inet_aton(host))
    except OSError:
        return None


def spelt(number, base):
    return {8: f"0{number:o}", 10: f"{number}", 16: f"0x{number:x}"}[base]


bases = st.sampled_from([8, 10, 16])
numbers = st.one_of(
    st.integers(0, 300), st.integers(0, 2**16 + 9), st.integers(0, 2**24 + 9),
    st.integers(0, 2**32 + 9),
)  # fmt: skip
written = st.builds(spelt, numbers, bases)


@given(st.lists(written, min_size=1, max_size=5).map(".".join))
@example("0")
@example("255.1")
@example("256.1")
@example("1.16777215")
@example("1.16777216")
@example("4294967296")
def test_ipv4_in_any_spelling_is_what_the_system_takes_it_for(host):
    assert literal(host) == of_the_system(host, socket.AF_INET) == by_inet_aton(host)


@given(st.text("0123456789abfxX.+-_", max_size=20).filter(lambda host: not host.endswith(".")))
@example("08.1")
@example("0x.1")
@example("0b1.1")
@example("1_0.1")
@example("+1.1")
def test_whatever_else_may_look_like_ipv4_too(host):
    assert literal(host) == of_the_system(host, socket.AF_INET) == by_inet_aton(host)


@given(st.ip_addresses(v=4), bases)
def test_every_ipv4_address_is_read_back_from_every_base(address, base):
    assert literal(spelt(int(address), base)) == address
    assert literal(".".join(spelt(octet, base) for octet in address.packed)) == address


@given(st.ip_addresses(v=6))
def test_every_ipv6_address_is_read_back_from_every_spelling(address):
    bits = int(address)
    with_ipv4 = f"{address.exploded[:30]}{ip_address(bits & 0xFFFFFFFF)}"
    for host in (str(address), address.exploded.upper(), f"[{address}]", with_ipv4):
        assert literal(host) == address


@given(st.text("0123456789abcdefF:.", min_size=2, max_size=30).filter(lambda host: ":" in host))
@example("1:2:3:4:5:6:7::")
@example("::2:3:4:5:6:7:8")
@example("::1:2:3:4:5:6:7:8")
@example("1::2::3")
@example("::ffff:1.2.3.04")
@example("00001::")
def test_whatever_else_may_look_like_ipv6_too(host):
    assert literal(host) == of_the_system(host.rstrip("."), socket.AF_INET6)


@given(st.text(max_size=300))
@example("127.0.0.1\0.example.com")
@example("\ud800")
@example("xn--\u2615")
def test_any_text_is_an_address_or_a_name(host):
    address = literal(host)
    assert address is None or literal(str(address)) == address
    refusal = Guard([]).check(host, 80)
    assert (refusal is None) is bool(plain(host)) or address or meant(host)


def test_a_zone_stays_with_its_address():
    assert str(literal("[FE80::1%25Eth0]")) == "fe80::1%Eth0"
    assert str(literal("fe80::1%eth0")) == "fe80::1%eth0"


@pytest.mark.parametrize("host", ["1" * 5000, "0" * 5000, "0x" + "0" * 300 + "1", "1." * 5000])
def test_what_is_too_long_for_a_host_is_no_address(host):
    assert literal(host) is None


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Example.COM.", "example.com"),
        ("%65xample.com", "example.com"),
        ("[::1]", "::1"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("exa\u00admple.com", "example.com"),
        ("\u2615.example", "xn--53h.example"),
    ],
)
def test_a_host_in_plain_words(host, name):
    assert plain(host) == name

"""Which addresses may be dialled."""

from ipaddress import ip_network

import pytest

from dispatcher.guard import Guard


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_a_public_address_may_be_dialled(address):
    assert Guard([]).refusal(address) is None


PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.2.1", "240.0.0.1", "::1", "::", "fe80::1",
    "fe80::1%lo", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2001:db8::1",
    "64:ff9b::a00:1", "64:ff9b::127.0.0.1", "2002:7f00:1::", "2002:a00:1::", "::127.0.0.1",
    "2001:0:7f00:1::1", "64:ff9b:1::a00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_may_not(address):
    assert Guard([]).refusal(address) is not None


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ("10.0.0.0/8", "10.1.2.3"),
        ("10.0.0.0/8", "::ffff:10.1.2.3"),
        ("fc00::/7", "fd00::1"),
        ("::1/128", "::1"),
    ],
)
def test_what_the_operator_allows_may_be_dialled(network, address):
    assert Guard([ip_network(network)]).refusal(address) is None


def test_what_the_operator_allows_is_not_more_than_that():
    assert Guard([ip_network("10.0.0.0/8")]).refusal("192.168.0.1") is not None

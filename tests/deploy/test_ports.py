"""Ports are found once, remembered, and refused when taken."""

import socket

import pytest

from deploy.errors import PortInUse
from deploy.ports import HOST, Ports, free_port, is_free


@pytest.fixture
def listener():
    with socket.create_server((HOST, free_port())) as server:
        yield server


@pytest.fixture
def ports(tmp_path):
    return Ports(tmp_path / "ports.json")


def test_listening_port_is_not_free(listener):
    assert not is_free(listener.getsockname()[1])


def test_free_port_is_one_that_no_outgoing_connection_gets():
    assert 20_000 <= free_port() < 32_000


def test_port_is_the_same_next_time(ports):
    port = ports.settle("broker", None)
    assert ports.settle("broker", None) == port
    assert ports.recall("broker") == port


def test_wanted_port_replaces_the_remembered_one(ports):
    ports.settle("broker", None)
    wanted = free_port()
    assert ports.settle("broker", wanted) == wanted
    assert ports.recall("broker") == wanted


def test_taken_port_is_refused(ports, listener):
    port = listener.getsockname()[1]
    with pytest.raises(PortInUse, match=str(port)):
        ports.settle("broker", port)


def test_taken_remembered_port_is_refused_too(ports):
    port = ports.settle("broker", None)
    with socket.create_server((HOST, port)), pytest.raises(PortInUse, match=str(port)):
        ports.settle("broker", None)


def test_taken_inner_port_is_replaced(ports):
    port = ports.settle_inner("controller")
    with socket.create_server((HOST, port)):
        assert ports.settle_inner("controller") != port


def test_inner_port_gives_way_to_a_wanted_one(ports):
    inner = ports.settle_inner("controller")
    ports.settle("broker", inner)
    assert ports.settle_inner("controller") != inner


def test_broken_memory_is_forgotten(tmp_path):
    (tmp_path / "ports.json").write_text("{")
    assert Ports(tmp_path / "ports.json").recall("broker") is None

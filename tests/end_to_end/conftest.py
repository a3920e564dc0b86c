"""A line for each test, and a customer's server."""

import socket

import httpx
import pytest
from line import Line

from console.demo.receiver import Receiver


@pytest.fixture
def line(settings, tmp_path):
    line = Line(settings, tmp_path)
    yield line
    line.close()


@pytest.fixture
def console(line):
    """The console's API of accounts, signed in."""
    (stage,) = line.start("console")
    with httpx.Client(
        base_url=f"{stage.url}/v1/accounts/", headers={"Authorization": "Bearer k"}
    ) as client:
        yield client


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def action(receiver):
    """An action as in `pca apply`, sending the call's sid to the receiver under its own path."""

    def build(id_, **fields):
        return {
            "id": id_,
            "name": id_,
            "scope": "all_calls",
            "target_url": f"{receiver.url}/{id_}",
            "parameters": [{"name": "sid", "placeholder": "sid"}],
        } | fields

    return build


@pytest.fixture
def slow():
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"

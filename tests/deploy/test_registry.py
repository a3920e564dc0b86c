"""The real registry: it keeps a schema as Confluent's does."""

import http.client
import json

import psutil
import pytest

from deploy.errors import NeverStarted
from deploy.ports import HOST
from deploy.registry.server import LocalRegistry

SCHEMA = json.dumps(
    {"type": "record", "name": "Call", "fields": [{"name": "sid", "type": "string"}]}
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory, registry_can_run):
    registry = LocalRegistry(tmp_path_factory.mktemp("registry"))
    registry.start()
    yield registry
    registry.stop()
    assert not registry.running()


def ask(registry, method, path, body=None):
    address, _, prefix = registry.url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(
            method,
            f"/{prefix}{path}",
            body=json.dumps(body) if body else None,
            headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_schema_is_read_back_by_its_id(registry):
    status, answer = ask(registry, "POST", "/subjects/calls-value/versions", {"schema": SCHEMA})
    assert status == 200
    status, answer = ask(registry, "GET", f"/schemas/ids/{answer['id']}")
    assert (status, json.loads(answer["schema"])) == (200, json.loads(SCHEMA))


def test_second_start_finds_the_first(registry):
    assert LocalRegistry(registry.data).start() is False


def test_only_this_machine_can_connect(registry):
    pid = int((registry.data / "registry.pid").read_text())
    listening = [c for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"]
    assert len(listening) == 2
    assert all(c.laddr.ip.removeprefix("::ffff:") == HOST for c in listening)


def test_address_is_unknown_before_the_first_start(tmp_path):
    with pytest.raises(NeverStarted):
        _ = LocalRegistry(tmp_path).url

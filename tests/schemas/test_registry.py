"""What the registry's client answers, told in the codec's terms."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas.codec import RegistryUnavailable
from schemas.registry import ConfluentRegistry
from schemas.released import current


class Client:
    """Stands in for confluent-kafka's client: answers, or raises, what it was given."""

    def __init__(self, answer):
        self._answer = answer

    def get_schema(self, _):
        if isinstance(self._answer, Exception):
            raise self._answer
        return SimpleNamespace(schema_str=self._answer)

    def register_schema(self, subject, schema):
        if isinstance(self._answer, Exception):
            raise self._answer
        self.registered = subject, json.loads(schema.schema_str), schema.schema_type
        return self._answer


def registry(answer) -> ConfluentRegistry:
    registry = ConfluentRegistry("http://127.0.0.1:9/")
    registry._client = Client(answer)
    return registry


def test_a_schema_is_read_by_its_id():
    found = registry(json.dumps(current("Routing").definition)).writer(7)
    assert found.fingerprint == current("Routing").fingerprint


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        'syntax = "proto3";',
        '"string"',
        '{"type": "object", "properties": {}}',
        '{"name": "x"}',
        '{"type": "record", "name": 5, "fields": []}',
        '{"type": "record", "name": "A", "fields": [{"name": "x", "type": "Unknown"}]}',
    ],
)
def test_what_is_no_avro_record_is_no_schema(text):
    assert registry(text).writer(7) is None


def test_an_unknown_id_is_no_schema():
    assert registry(SchemaRegistryError(404, 40403, "Schema not found")).writer(7) is None


@pytest.mark.parametrize(
    "error", [SchemaRegistryError(500, 50001, "busy"), ConnectionError("refused")]
)
def test_a_registry_that_fails_is_unavailable(error):
    with pytest.raises(RegistryUnavailable, match=r"schema registry http://127\.0\.0\.1:9/"):
        registry(error).writer(7)
    with pytest.raises(RegistryUnavailable):
        registry(error).register("t-value", current("Routing"))


def test_a_schema_is_registered_as_it_was_released():
    client = registry(3)
    assert client.register("t-value", current("Dispatch")) == 3
    assert client._client.registered == ("t-value", current("Dispatch").definition, "AVRO")

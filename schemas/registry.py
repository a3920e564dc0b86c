"""A Confluent-compatible schema registry, through confluent-kafka's client."""

from __future__ import annotations

import json

from confluent_kafka.schema_registry import Schema as RegisteredSchema
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from fastavro.schema import SchemaParseException

from schemas.codec import RegistryUnavailable
from schemas.released import Schema, parse


class ConfluentRegistry:
    """The `Registry` behind `PCA_SCHEMA_REGISTRY_URL`. Blocks on HTTP; the client caches ids."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._url = url
        self._client = SchemaRegistryClient({"url": url, "timeout": timeout})

    def writer(self, schema_id: int) -> Schema | None:
        """The schema with that id; None when there is none, or none that Avro understands.

        Raises `RegistryUnavailable`.
        """
        try:
            text = self._client.get_schema(schema_id).schema_str
        except SchemaRegistryError as error:
            if error.http_status_code == 404:
                return None
            raise self._unavailable(error) from error
        except Exception as error:  # the client lets its HTTP library's errors through
            raise self._unavailable(error) from error
        try:
            definition = json.loads(text or "null")
            return parse(definition) if isinstance(definition, dict) else None
        except (ValueError, TypeError, LookupError, SchemaParseException):
            return None

    def register(self, subject: str, schema: Schema) -> int:
        """The schema's id, registered where it is new. Raises `RegistryUnavailable`."""
        text = json.dumps(schema.definition)
        try:
            return self._client.register_schema(subject, RegisteredSchema(text, "AVRO"))
        except Exception as error:  # as above; a refusal for incompatibility reads the same
            raise self._unavailable(error) from error

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def _unavailable(self, error: Exception) -> RegistryUnavailable:
        return RegistryUnavailable(f"schema registry {self._url}: {error}")

"""Records to bytes and back, in either of two wire formats.

*Single-object encoding* (Avro specification): `C3 01`, the schema's 8-byte fingerprint, the record.
It needs no service. *Confluent's format*: `00`, a 4-byte schema id of a registry, the record; so
that other tools read the topics. What is written is a setting; both are always read, so a topic
may hold a mixture.
"""

from __future__ import annotations

import io
from typing import Any, Protocol

import fastavro
from mypy_extensions import mypyc_attr

from schemas import binary
from schemas.released import SINGLE_OBJECT_MARKER, Record, Schema, by_fingerprint, current

CONFLUENT_MARKER = 0
CONFLUENT_HEADER = 5
SINGLE_OBJECT_HEADER = 10


class Undecodable(ValueError):
    """Bytes that are no record of ours. They never will be: trying again does not help.

    `reason` is one of `null_value`, `not_avro`, `unknown_schema`, `wrong_record`, `malformed`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Registry(Protocol):
    """What the codec asks of a Confluent-compatible registry. Both calls may block on HTTP.

    Both raise `RegistryUnavailable` when there is no answer, which says nothing about the record.
    """

    def writer(self, schema_id: int) -> Schema | None:
        """The schema with that id; None when the registry has none."""

    def register(self, subject: str, schema: Schema) -> int:
        """The id of the schema under the subject, registering it where it is new."""

    def close(self) -> None:
        """End its connections."""


@mypyc_attr(native_class=False)  # which is what mypyc can make of its base
class RegistryUnavailable(ConnectionError):
    """The schema registry does not answer; what waits for it should be tried again."""


class Codec:
    """Encodes in one format, decodes both. Shared by the threads of a process."""

    def __init__(self, registry: Registry | None = None, *, write_confluent: bool = False) -> None:
        if write_confluent and registry is None:
            raise ValueError("writing Confluent's format needs a registry")
        self._registry = registry
        self._write_confluent = write_confluent
        self._writers: dict[bytes, Schema] = {
            schema.header: schema for schema in by_fingerprint().values()
        }
        self._headers: dict[tuple[str, str], bytes] = {}

    def close(self) -> None:
        """End the registry's connections."""
        if self._registry is not None:
            self._registry.close()

    def header(self, name: str, topic: str) -> bytes:
        """What stands in front of a record of the current release on that topic.

        Asks the registry once per record and topic; raises `RegistryUnavailable`.
        """
        known = self._headers.get((name, topic))
        if known is None:
            known = self._headers[name, topic] = self._new_header(current(name), topic)
        return known

    def _new_header(self, schema: Schema, topic: str) -> bytes:
        if not self._write_confluent:
            return schema.header
        assert self._registry is not None
        schema_id = self._registry.register(f"{topic}-value", schema)
        header = bytes([CONFLUENT_MARKER]) + schema_id.to_bytes(4, "big")
        self._writers[header] = schema
        return header

    def encode(self, name: str, record: Record, topic: str) -> bytes:
        """A record of the current release, ready for its topic. Raises ValueError."""
        return self.header(name, topic) + current(name).encode(record)

    def split(self, data: bytes | None, name: str) -> tuple[Schema, int]:
        """The schema that wrote `data`, and where the record starts in it.

        Raises `Undecodable`, and `RegistryUnavailable` for an id not asked for before.
        """
        if not data:
            raise Undecodable("null_value", "the record has no value")
        size = CONFLUENT_HEADER if data[0] == CONFLUENT_MARKER else SINGLE_OBJECT_HEADER
        writer = self._writers.get(data[:size])
        if writer is None:
            writer = self._ask(_header(data))
        if writer.name != name:
            raise Undecodable("wrong_record", f"a {writer.name} where a {name} belongs")
        return writer, size

    def _ask(self, header: bytes) -> Schema:
        if header[0] != CONFLUENT_MARKER:
            raise Undecodable(
                "unknown_schema", f"no released schema has fingerprint {header[2:].hex()}"
            )
        schema_id = int.from_bytes(header[1:], "big")
        if self._registry is None:
            raise Undecodable(
                "unknown_schema",
                f"schema id {schema_id} of a registry; set PCA_SCHEMA_REGISTRY_URL to read it",
            )
        schema = self._registry.writer(schema_id)
        if schema is None:
            raise Undecodable("unknown_schema", f"the registry has no schema with id {schema_id}")
        # A released schema is kept as that one object, so that "is it current" is an identity.
        self._writers[header] = schema = by_fingerprint().get(schema.fingerprint, schema)
        return schema

    def decode(self, data: bytes | None, name: str) -> Record:
        """The record in the current release's shape, whatever release wrote it.

        Raises `Undecodable`, also when bytes are left over; and `RegistryUnavailable`.
        """
        writer, start = self.split(data, name)
        assert data is not None
        return decode_body(data, start, writer)


def _header(data: bytes) -> bytes:
    """In either format. Raises `Undecodable`."""
    if data[:2] == SINGLE_OBJECT_MARKER:
        size = SINGLE_OBJECT_HEADER
    elif data[0] == CONFLUENT_MARKER:
        size = CONFLUENT_HEADER
    else:
        raise Undecodable("not_avro", f"starts with {data[:4].hex(' ')}, no known wire format")
    if len(data) < size:
        raise Undecodable("malformed", f"{len(data)} bytes are too short for a record")
    return data[:size]


def decode_body(data: bytes, start: int, writer: Schema) -> Record:
    """The record that `writer` wrote from `start` to the end, in the current release's shape.

    Raises `Undecodable` with reason `malformed`.
    """
    reader = current(writer.name)
    try:
        if writer is reader:
            record, end = binary.read(reader.layout, data, start)
        else:
            source = io.BytesIO(data)
            source.seek(start)
            resolved: Any = fastavro.schemaless_reader(source, writer.parsed, reader.parsed)
            record = resolved
            end = source.tell()
    except Exception as error:  # whatever garbage makes fastavro raise, garbage it is
        raise Undecodable(
            "malformed", f"not a {writer.name}: {error or type(error).__name__}"
        ) from error
    if end < len(data):
        raise Undecodable("malformed", f"{len(data) - end} bytes are left after the {writer.name}")
    return record

"""The Avro schemas of every release, read from `avro/` once.

A release is a folder with the whole set of records, so that names inside it refer to their
neighbours. Logical types are dropped before fastavro sees a schema: times stay integers
(microseconds since 1970, UTC), which costs nothing to read, and neither the bytes nor the
fingerprint depend on them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

from schemas import binary
from schemas.layouts import Layout, layout

Record = dict[str, Any]

FOLDER = Path(__file__).parent / "avro"
SINGLE_OBJECT_MARKER = b"\xc3\x01"


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One record of one release. Compared by identity: each exists once."""

    name: str
    release: int
    definition: Record = field(repr=False)
    """As released, every name written out in full: what a registry is given."""
    parsed: Any = field(repr=False)
    """For fastavro, which reads what another schema wrote."""
    own: Layout | None = field(repr=False)
    """How it reads and writes what needs no resolving; None for one with types unknown to us."""
    fingerprint: bytes
    """CRC-64-AVRO of the parsing canonical form, little-endian: 8 bytes."""

    @property
    def header(self) -> bytes:
        """The ten bytes in front of a record in Avro's single-object encoding."""
        return SINGLE_OBJECT_MARKER + self.fingerprint

    @property
    def layout(self) -> Layout:
        """Of a released one: all have one."""
        assert self.own is not None
        return self.own

    def encode(self, record: Record) -> bytes:
        """The record's bytes without any header.

        Raises ValueError when a field is missing or of another type, naming the schema.
        """
        try:
            return binary.write(self.layout, record)
        except ValueError as error:
            raise ValueError(f"not a {self.name}: {error}") from error


def _without_logical_types(node: Any) -> Any:
    if isinstance(node, dict):
        kept = {k: _without_logical_types(v) for k, v in node.items() if k != "logicalType"}
        return kept["type"] if kept.keys() == {"type"} else kept
    if isinstance(node, list):
        return [_without_logical_types(item) for item in node]
    return node


def _for_fastavro(definition: Record) -> Any:
    parsed = parse_schema(_without_logical_types(definition))
    _turn_defaults_to_bytes(parsed)
    return parsed


def _turn_defaults_to_bytes(node: Any) -> None:
    """Avro writes a default of bytes as text; fastavro would hand out, and choke on, the text."""
    if isinstance(node, dict):
        for field_ in node.get("fields", ()):
            if field_["type"] == "bytes" and isinstance(field_.get("default"), str):
                field_["default"] = field_["default"].encode("latin-1")
            _turn_defaults_to_bytes(field_["type"])
        _turn_defaults_to_bytes(node.get("items") or node.get("values"))
    elif isinstance(node, list):
        for branch in node:
            _turn_defaults_to_bytes(branch)


def _written_out(node: Any, neighbours: dict[str, Record], seen: set[str]) -> Any:
    """The definition with the first mention of each neighbour replaced by its definition."""
    if isinstance(node, str) and node in neighbours and node not in seen:
        return _written_out(neighbours[node], neighbours, seen)
    if isinstance(node, list):
        return [_written_out(item, neighbours, seen) for item in node]
    if isinstance(node, dict):
        if node.get("type") in ("record", "enum", "fixed"):
            seen.add(node["name"])
        return {k: v if k == "default" else _written_out(v, neighbours, seen)
                for k, v in node.items()}  # fmt: skip
    return node


def _own(definition: Record) -> Layout | None:
    try:
        return layout(definition)
    except ValueError:
        return None


def parse(definition: Record, release: int = 0) -> Schema:
    """A schema from its definition, as a file or a registry has it.

    Raises fastavro's SchemaParseException when it is not one.
    """
    parsed = _for_fastavro(definition)
    canonical = to_parsing_canonical_form(parsed)
    return Schema(
        name=definition["name"],
        release=release,
        definition=definition,
        parsed=parsed,
        own=_own(definition),
        fingerprint=bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO")),
    )


@cache
def releases() -> dict[int, dict[str, Schema]]:
    """Every schema in the tree: release → record name → Schema."""
    found: dict[int, dict[str, Schema]] = {}
    for folder in sorted(FOLDER.iterdir()):
        if not folder.is_dir():
            continue
        files = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.avsc"))]
        neighbours = {definition["name"]: definition for definition in files}
        release = int(folder.name)
        found[release] = {
            name: parse(_written_out(definition, neighbours, set()), release)
            for name, definition in neighbours.items()
        }
    return found


@cache
def current(name: str) -> Schema:
    """The newest release of a record, e.g. `current("CallCompleted")`: the one we write."""
    return releases()[max(releases())][name]


@cache
def by_fingerprint() -> dict[bytes, Schema]:
    """Every released schema by its 8-byte fingerprint; the newest where two are the same."""
    return {
        schema.fingerprint: schema
        for _, schemas in sorted(releases().items())
        for schema in schemas.values()
    }

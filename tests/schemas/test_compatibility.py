"""What a release may change against all earlier ones.

Events are BACKWARD_TRANSITIVE: the newest reader understands every older writer. Compacted records
are FULL_TRANSITIVE: older readers understand newer writers as well, for both run side by side.
"""

from __future__ import annotations

import copy
import io
import itertools

import fastavro
import pytest

from schemas.released import current, parse, releases

EVENTS = ["CallCompleted", "Dispatch", "Attempt"]
COMPACTED = ["Account", "Action", "Routing", "Endpoint"]
PROMOTED = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}


class Checker:
    """Avro's resolution rules, read as a checker: can `reader` read whatever `writer` wrote?"""

    def __init__(self, reader, writer) -> None:
        self.faults: list[str] = []
        self._named = ({}, {})
        self._pairs = set()
        self._check(reader, writer, reader["name"])

    def _resolved(self, node, side: int):
        """A named type for its name, a plain type for one written out at length."""
        while True:
            if isinstance(node, str) and node.split(".")[-1] in self._named[side]:
                return self._named[side][node.split(".")[-1]]
            if isinstance(node, dict) and "name" in node:
                self._named[side][node["name"]] = node
                return node
            if isinstance(node, dict) and node["type"] not in ("array", "map"):
                node = node["type"]
                continue
            return node

    def _check(self, reader, writer, path: str) -> None:
        reader, writer = self._resolved(reader, 0), self._resolved(writer, 1)
        if isinstance(writer, list):
            for branch in writer:
                self._check(reader, branch, path)
            return
        if isinstance(reader, list):
            if not any(self._same_kind(self._resolved(branch, 0), writer) for branch in reader):
                self.faults.append(f"{path}: no branch for {self._kind(writer)}")
            for branch in reader:
                if self._same_kind(self._resolved(branch, 0), writer):
                    self._check(branch, writer, path)
                    return
            return
        if not self._same_kind(reader, writer):
            self.faults.append(f"{path}: {self._kind(writer)} became {self._kind(reader)}")
        elif self._kind(reader) == "record":
            self._check_fields(reader, writer, path)
        elif self._kind(reader) == "enum":
            unknown = set(writer["symbols"]) - set(reader["symbols"])
            if unknown and "default" not in reader:
                self.faults.append(f"{path}: no symbol {sorted(unknown)}")
        elif self._kind(reader) == "array":
            self._check(reader["items"], writer["items"], path)
        elif self._kind(reader) == "map":
            self._check(reader["values"], writer["values"], path)

    def _check_fields(self, reader, writer, path: str) -> None:
        if reader["name"] != writer["name"]:
            self.faults.append(f"{path}: record {writer['name']} became {reader['name']}")
        if (path, reader["name"]) in self._pairs:
            return
        self._pairs.add((path, reader["name"]))
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            inside = f"{path}.{field['name']}"
            if field["name"] in written:
                self._check(field["type"], written[field["name"]]["type"], inside)
            elif "default" not in field:
                self.faults.append(f"{inside}: is new and has no default")

    @staticmethod
    def _kind(node) -> str:
        return node if isinstance(node, str) else node["type"]

    def _same_kind(self, reader, writer) -> bool:
        kinds = self._kind(reader), self._kind(writer)
        return kinds[0] == kinds[1] or kinds[0] in PROMOTED.get(kinds[1], ())


def unreadable(reader, writer) -> list[str]:
    """Why a reader cannot read what a writer wrote; empty when it can."""
    return Checker(reader, writer).faults


def moved(old, new) -> list[str]:
    """Fields of the older record that do not stand where they stood (removed ones included)."""
    names = [field["name"] for field in new["fields"]]
    return [
        field["name"]
        for place, field in enumerate(old["fields"])
        if names[place : place + 1] != [field["name"]]
    ]


def definitions(name):
    """The record in every release, oldest first."""
    return [s[name].definition for _, s in sorted(releases().items()) if name in s]


@pytest.mark.parametrize("name", EVENTS + COMPACTED)
def test_a_newer_reader_understands_every_older_writer(name):
    for old, new in itertools.combinations_with_replacement(definitions(name), 2):
        assert unreadable(new, old) == []


@pytest.mark.parametrize("name", COMPACTED)
def test_an_older_reader_understands_every_newer_writer(name):
    for old, new in itertools.combinations_with_replacement(definitions(name), 2):
        assert unreadable(old, new) == []


@pytest.mark.parametrize("name", EVENTS + COMPACTED)
def test_fields_are_only_added_and_only_at_the_end(name):
    for old, new in itertools.combinations_with_replacement(definitions(name), 2):
        # A dispatch ends with its call and its action: what is new in it stands before them.
        tail = 2 if name == "Dispatch" else 0
        ends = old["fields"][len(old["fields"]) - tail :]
        assert [f["name"] for f in ends] == [f["name"] for f in new["fields"]][
            len(new["fields"]) - tail :
        ]
        kept = old | {"fields": old["fields"][: len(old["fields"]) - tail]}
        assert moved(kept, new) == []


# The checker against invented changes, each judged by fastavro as well.


OLD = {"type": "record", "name": "Old", "namespace": "pca", "fields": [
    {"name": "send", "type": {"type": "enum", "name": "Send", "symbols": ["all", "one", "none"]}},
    {"name": "label", "type": "string", "default": ""},
    {"name": "version", "type": "long"},
]}  # fmt: skip


def changed(definition, change):
    definition = copy.deepcopy(definition)
    change(definition["fields"])
    return definition


def field(fields, name):
    return next(f for f in fields if f["name"] == name)


ENUM_OF_NONE = {"type": "enum", "name": "Send", "symbols": ["none"]}
GOOD = {
    "a field with a default": lambda f: f.append({"name": "new", "type": "string", "default": ""}),
    "a field is dropped": lambda f: f.remove(field(f, "label")),
    "another symbol": lambda f: field(f, "send")["type"]["symbols"].append("x"),
}
BAD = {
    "a field without a default": (
        lambda f: f.append({"name": "new", "type": "string"}),
        "Old.new: is new and has no default",
    ),
    "a field is renamed": (
        lambda f: field(f, "version").update(name="revision"),
        "Old.revision: is new and has no default",
    ),
    "text becomes a number": (
        lambda f: field(f, "label").update(type="long", default=0),
        "Old.label: string became long",
    ),
    "a number becomes narrower": (
        lambda f: field(f, "version").update(type="int"),
        "Old.version: long became int",
    ),
    "a symbol is lost and there is no default": (
        lambda f: field(f, "send").update(type=ENUM_OF_NONE),
        "Old.send: no symbol ['all', 'one']",
    ),
    "text becomes a union without text": (
        lambda f: field(f, "label").update(type=["null", "long"], default=None),
        "Old.label: no branch for string",
    ),
}  # fmt: skip


def fastavro_reads(reader, writer) -> bool:
    written = parse(writer)
    record = {"send": "all", "label": "l", "version": 2**40}
    data = io.BytesIO(written.encode(record))
    try:
        fastavro.schemaless_reader(data, written.parsed, parse(reader).parsed)
    except Exception:  # whatever it raises, it cannot read it
        return False
    return True


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_the_checker_allows_a_harmless_change(change):
    new = changed(OLD, change)
    assert unreadable(new, OLD) == []
    assert fastavro_reads(new, OLD)


@pytest.mark.parametrize(("change", "fault"), BAD.values(), ids=BAD)
def test_the_checker_finds_a_bad_change(change, fault):
    new = changed(OLD, change)
    assert unreadable(new, OLD) == [fault]
    # fastavro writes both as the same bytes and lets a narrower number pass; other readers do not.
    if fault != BAD["a number becomes narrower"][1]:
        assert not fastavro_reads(new, OLD)


def test_dropping_a_field_without_a_default_is_bad_for_older_readers_only():
    new = changed(OLD, lambda f: f.remove(field(f, "version")))
    assert unreadable(new, OLD) == []
    assert unreadable(OLD, new) == ["Old.version: is new and has no default"]


def test_the_checker_looks_inside_nested_records_unions_and_arrays():
    def break_both(fields):
        field(fields, "parameters")["type"]["items"]["fields"].append({"name": "n", "type": "long"})
        inner = field(fields, "google_analytics")["type"][1]
        inner["fields"].append({"name": "m", "type": "long"})

    assert unreadable(
        changed(current("Action").definition, break_both), current("Action").definition
    ) == [
        "Action.parameters.n: is new and has no default",
        "Action.google_analytics.parameters.n: is new and has no default",
        "Action.google_analytics.m: is new and has no default",
    ]


def test_the_checker_looks_inside_the_call_of_a_dispatch():
    def break_call(fields):
        field(fields, "call")["type"]["fields"].append({"name": "n", "type": "long"})

    faults = unreadable(
        changed(current("Dispatch").definition, break_call), current("Dispatch").definition
    )
    assert faults == ["Dispatch.call.n: is new and has no default"]


def test_a_moved_field_is_noticed():
    new = changed(OLD, lambda f: f.insert(1, {"name": "n", "type": "long", "default": 0}))
    assert moved(OLD, new) == ["label", "version"]

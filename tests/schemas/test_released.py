"""Every release stays readable for ever, and the JSON shapes mirror the newest one."""

from __future__ import annotations

import json
import typing
from pathlib import Path

import pytest

from schemas import call, configuration
from schemas.codec import Codec
from schemas.released import FOLDER, current, parse, releases

SAMPLES = sorted((Path(__file__).parent / "released").glob("*/*.bin"))
RECORDS = ["Account", "Action", "Attempt", "CallCompleted", "Dispatch", "Endpoint", "Routing"]
SINCE = {"Endpoint": 2}
"""The release in which a record that was not there from the first came."""


def records(release):
    return [name for name in RECORDS if SINCE.get(name, 1) <= release]


def test_releases_are_numbered_from_one_without_a_gap():
    assert list(releases()) == list(range(1, len(releases()) + 1))


@pytest.mark.parametrize("release", releases())
def test_a_release_holds_every_record(release):
    assert sorted(releases()[release]) == records(release)


@pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*/*.avsc")), ids=lambda p: f"{p.parts[-2]}/{p.stem}"
)
def test_a_file_is_named_for_its_record(path):
    name = json.loads(path.read_text("utf-8"))["name"]
    assert path.stem == "".join("_" * c.isupper() + c.lower() for c in name).lstrip("_")


@pytest.mark.parametrize(
    ("release", "name"), [(release, name) for release in releases() for name in records(release)]
)
def test_a_released_schema_as_the_registry_gets_it_stands_alone(release, name):
    schema = releases()[release][name]
    assert parse(json.loads(json.dumps(schema.definition))).fingerprint == schema.fingerprint


@pytest.mark.parametrize("release", releases())
def test_every_record_of_a_release_has_a_stored_sample(release):
    assert sorted(p.stem for p in SAMPLES if p.parent.name == str(release)) == records(release)


def comparable(value):
    """As the JSON beside a sample has it: bytes as text of the same code points."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {k: comparable(v) for k, v in value.items()}
    return [comparable(v) for v in value] if isinstance(value, list) else value


def holds(read, stored) -> bool:
    """Newer releases may add fields; what was stored is still there."""
    if isinstance(stored, dict) and isinstance(read, dict):
        return all(k in read and holds(read[k], v) for k, v in stored.items())
    if isinstance(stored, list):
        return len(read) == len(stored) and all(map(holds, read, stored))
    return bool(read == stored)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: f"{p.parts[-2]}/{p.stem}")
def test_a_stored_sample_reads_as_it_did_on_the_day_of_its_release(path):
    read = comparable(Codec().decode(path.read_bytes(), path.stem))
    assert holds(read, json.loads(path.with_suffix(".json").read_text("utf-8")))


def test_a_default_of_bytes_is_bytes():
    required = {"account_id": "a", "dispatch_id": "d", "action_id": "x", "sid": "s", "attempt": 1,
                "config_version": 1, "action_version": 1, "started_at": 1, "duration_us": 1,
                "method": "GET", "url": "u", "outcome": "delivered"}  # fmt: skip
    attempt = Codec().decode(Codec().encode("Attempt", required, "t"), "Attempt")
    assert attempt["response_body"] == b""


# The JSON shapes against the Avro records.

E164 = {"called_e164", "caller_e164", "transferred_to_e164", "destination_e164", "source_e164"}
PAIRS = [
    # shape, record, fields of the record that the shape lacks, fields of the shape alone
    (call.Call, ("CallCompleted",), E164 | {"pool_id"}, set()),
    (call.Lookup, ("CallCompleted", "lookup"), set(), set()),
    (call.Distributor, ("CallCompleted", "distributor"), set(), set()),
    (call.SourceTrak, ("CallCompleted", "sourcetrak"), set(), {"pool_id"}),
    (call.LeadFlow, ("CallCompleted", "leadflow"), E164, set()),
    (call.Cake, ("CallCompleted", "leadflow", "cake"), set(), set()),
    (configuration.Account, ("Account",), {"account_id", "version"}, set()),
    (configuration.Action, ("Action",), {"action_id", "version"}, set()),
    (configuration.Parameter, ("Action", "parameters"), set(), set()),
    (configuration.GoogleAnalytics, ("Action", "google_analytics"), set(), set()),
    (configuration.Routing, ("Routing",), set(), set()),
    (configuration.PoolRouting, ("Routing",), set(), set()),
]


def avro_fields(path: tuple[str, ...]) -> dict[str, dict]:
    """The fields of the newest release at a path of field names, by name."""
    fields = {f["name"]: f for f in current(path[0]).definition["fields"]}
    for step in path[1:]:
        node = fields[step]["type"]
        if isinstance(node, list):
            node = next(branch for branch in node if branch != "null")
        node = node["items"] if node["type"] == "array" else node
        fields = {f["name"]: f for f in node["fields"]}
    return fields


@pytest.mark.parametrize(
    ("shape", "path", "of_avro", "of_json"), PAIRS, ids=lambda x: getattr(x, "__name__", None)
)
def test_a_record_and_its_shape_have_the_same_fields(shape, path, of_avro, of_json):
    avro, json_ = set(avro_fields(path)), set(shape.model_fields)
    assert (avro - json_, json_ - avro) == (of_avro & avro, of_json)


@pytest.mark.parametrize(
    ("shape", "path"), [pair[:2] for pair in PAIRS], ids=lambda x: getattr(x, "__name__", None)
)
def test_a_time_of_a_shape_is_a_time_in_the_record(shape, path):
    fields = shape.model_json_schema()["properties"].items()
    times = {name for name, field in fields if "date-time" in json.dumps(field)}
    micros = {"type": "long", "logicalType": "timestamp-micros"}
    logical = {n for n, f in avro_fields(path).items() if f["type"] in (micros, ["null", micros])}
    assert times == logical


def test_the_words_of_send_are_those_of_the_json():
    symbols = avro_fields(("Routing",))["send"]["type"]["symbols"]
    words = typing.get_args(configuration.PoolRouting.model_fields["send"].annotation)
    assert sorted(symbols) == sorted(words)

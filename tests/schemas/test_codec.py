"""Records to bytes and back, in both wire formats, and everything that is no record."""

from __future__ import annotations

import contextlib
import io
import json
import random
import types
import typing
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import binary
from schemas.call import Call, Distributor, Shape, moment
from schemas.codec import Codec, RegistryUnavailable, Undecodable
from schemas.released import by_fingerprint, current, parse, releases

RECORDS = sorted(releases()[max(releases())])

TIMES = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001  # Hypothesis adds the zone
    datetime(9998, 12, 30),  # noqa: DTZ001
    timezones=st.integers(-840, 840).map(lambda m: timezone(timedelta(minutes=m))),
)
PRICES = st.decimals(0, 10**12, places=2, allow_nan=False)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", fullmatch=True)
SIDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=256)
BY_NAME = {
    "account_id": IDS,
    "sid": SIDS,
    "call_type": st.text(min_size=1, max_size=64),
    "all_actions": st.lists(st.text(), max_size=4),
    "rank": st.integers(1, 5),
    "pool_type": st.sampled_from(["seo", "ppc", "one_to_one"]),
    "revision": st.integers(0, 2**31 - 1),
    "affiliate_id": st.integers(0, 2**63 - 1),
    "offer_id": st.integers(0, 2**63 - 1),
    "called_number": st.one_of(st.text(), st.sampled_from(["+13125550123", "312 555 0123"])),
}


def values(shape: type[Shape], name: str):
    """What a field may hold, by its name and then by its type."""
    annotation = shape.model_fields[name].annotation
    if name in BY_NAME and (shape, name) != (Distributor, "call_type"):
        of_type = BY_NAME[name]
    elif name.endswith("_at"):
        of_type = TIMES.map(datetime.isoformat)
    elif name.endswith("_seconds"):
        of_type = st.integers(0, 2**31 - 1)
    elif name.endswith("_per_call"):
        of_type = PRICES.map(str)
    elif annotation == bool | None:
        of_type = st.booleans()
    elif annotation == str | None:
        of_type = st.text()
    else:
        (nested,) = (t for t in typing.get_args(annotation) if t is not types.NoneType)
        of_type = st.deferred(lambda: shapes(nested))
    return of_type


def shapes(shape: type[Shape]):
    """JSON objects of a model; any field that need not be there may be absent or null."""
    fields = {name: values(shape, name) for name in shape.model_fields}
    needed = {n: s for n, s in fields.items() if shape.model_fields[n].is_required()}
    others = {n: st.none() | s for n, s in fields.items() if n not in needed and n != "revision"}
    return st.fixed_dictionaries(needed, optional=others)


def as_call(record: dict) -> Call:
    """The way back: the call that a CallCompleted record tells of."""

    def block(record: dict, shape: type[Shape]) -> dict:
        fields = {}
        for name, value in record.items():
            if name.endswith("_e164") or value in ("", None, []):
                continue
            nested = {"lookup", "distributor", "sourcetrak", "leadflow", "cake"}
            if name in nested:
                types_ = typing.get_args(shape.model_fields[name].annotation)
                fields[name] = block(value, types_[0])
            elif name.endswith("_at"):
                fields[name] = moment(value)
            elif name.endswith("_per_call"):
                fields[name] = Decimal(value)
            else:
                fields[name] = value
        return fields

    fields = block(record, Call)
    pool_id = fields.pop("pool_id", None)
    if "sourcetrak" in fields:
        fields["sourcetrak"] = fields["sourcetrak"] | {"pool_id": pool_id}
    return Call.model_validate(fields)


def without_empty(value):
    """Absence, null and the empty text mean the same; so do an instant's spellings."""
    if isinstance(value, dict):
        return {k: without_empty(v) for k, v in value.items() if v not in (None, "", [])}
    return value.astimezone(UTC) if isinstance(value, datetime) else value


@given(shapes(Call))
def test_any_call_survives_the_way_to_bytes_and_back(fields):
    call = Call.model_validate_json(json.dumps(fields))
    codec = Codec()
    data = codec.encode("CallCompleted", call.to_avro(), "t")
    again = as_call(codec.decode(data, "CallCompleted"))
    assert without_empty(again.model_dump()) == without_empty(call.model_dump())


def crc_64_avro(text: bytes) -> int:
    """The algorithm as the Avro specification prints it."""
    empty = 0xC15D213AA4D7A795
    value = empty
    for byte in text:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (empty & -(value & 1))
    return value


def test_the_fingerprint_of_null_is_the_known_one():
    assert crc_64_avro(b'"null"') == 0x63DD24E7CC258F8A


@pytest.mark.parametrize("name", RECORDS)
def test_a_header_is_the_marker_and_the_fingerprint_with_the_lowest_byte_first(name):
    canonical = fastavro.schema.to_parsing_canonical_form(current(name).parsed)
    fingerprint = crc_64_avro(canonical.encode()).to_bytes(8, "little")
    assert current(name).header == b"\xc3\x01" + fingerprint


def routing(label: str = "x") -> dict:
    return {"send": "specific", "action_id": "a-1", "label": label}


def reason(data: bytes | None, name: str = "Routing", codec: Codec | None = None) -> str:
    with pytest.raises(Undecodable) as caught:
        (codec or Codec()).decode(data, name)
    return caught.value.reason


def encoded() -> bytes:
    return Codec().encode("Routing", routing(), "t")


@pytest.mark.parametrize("data", [None, b""])
def test_a_tombstone_is_no_record(data):
    assert reason(data) == "null_value"


@pytest.mark.parametrize(
    "data", [b"{}", b"\xc3\x02" + bytes(20), b"\x01\x00\x00\x00\x01x", b"\xc3"]
)
def test_an_unknown_format_is_not_avro(data):
    assert reason(data) == "not_avro"


@pytest.mark.parametrize("size", [2, 3, 9])
def test_a_cut_header_is_malformed(size):
    assert reason(encoded()[:size]) == "malformed"


def test_a_cut_confluent_header_is_malformed():
    assert reason(b"\x00\x00\x00\x00") == "malformed"


def test_every_truncation_is_malformed():
    data = encoded()
    assert {reason(data[:size]) for size in range(10, len(data))} == {"malformed"}


def test_bytes_left_over_are_malformed():
    assert reason(encoded() + b"\x00") == "malformed"


def test_text_that_is_not_utf_8_is_malformed():
    assert reason(encoded().replace(b"a-1", b"a\xff1")) == "malformed"


def test_an_enum_beyond_its_symbols_is_malformed():
    assert reason(current("Routing").header + b"\x14\x00\x00") == "malformed"


def test_a_fingerprint_that_was_never_released_is_an_unknown_schema():
    assert reason(b"\xc3\x01" + bytes(8) + b"x") == "unknown_schema"


def test_a_schema_id_without_a_registry_is_an_unknown_schema_and_says_what_to_set():
    with pytest.raises(Undecodable, match="PCA_SCHEMA_REGISTRY_URL"):
        Codec().decode(b"\x00\x00\x00\x00\x07x", "Routing")


def test_another_record_of_ours_is_the_wrong_record():
    with pytest.raises(Undecodable, match="a Routing where a Account belongs"):
        Codec().decode(encoded(), "Account")
    assert reason(encoded(), "Account") == "wrong_record"


@pytest.mark.parametrize("name", RECORDS)
@given(st.binary(max_size=200))
def test_random_bytes_after_a_header_decode_or_are_undecodable(name, body):
    with contextlib.suppress(Undecodable):
        Codec().decode(current(name).header + body, name)


@given(st.binary(max_size=40))
def test_random_bytes_decode_or_are_undecodable(data):
    with pytest.raises(Undecodable):
        Codec().decode(data, "Dispatch")


def test_a_record_with_flipped_bits_decodes_or_is_undecodable(example):
    data = Codec().encode(
        "CallCompleted", Call.model_validate_json(json.dumps(example)).to_avro(), "t"
    )
    chance = random.Random(7)
    for _ in range(3000):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(10, len(damaged))] ^= 1 << chance.randrange(8)
        with contextlib.suppress(Undecodable):
            Codec().decode(bytes(damaged), "CallCompleted")


@pytest.mark.parametrize(
    "wrong",
    [{"label": None}, {"label": 1}, {"label": "\ud800"}, {"send": "maybe"}, {"action_id": b"a"}],
)
def test_what_is_no_record_cannot_be_encoded(wrong):
    with pytest.raises(ValueError, match="not a Routing"):
        Codec().encode("Routing", routing() | wrong, "t")


def test_a_number_beyond_64_bits_cannot_be_encoded():
    account = {"account_id": "acme", "version": 2**63, "name": "Acme"}
    with pytest.raises(ValueError, match="not a Account"):
        Codec().encode("Account", account, "t")


def test_a_reader_may_stop_after_the_fields_that_it_needs(example):
    schema = current("CallCompleted")
    body = schema.encode(Call.model_validate_json(json.dumps(example)).to_avro())
    read, _ = binary.read(schema.layout.part(last="pool_id"), body)
    assert list(read) == ["account_id", "sid", "revision", "call_type", "called_number",
                          "called_e164", "ad_group_id", "pool_id"]  # fmt: skip
    assert (read["sid"], read["pool_id"]) == (example["sid"], "p-9")


def test_a_dispatch_is_its_own_fields_and_then_the_bytes_of_call_and_action(example):
    call = Call.model_validate_json(json.dumps(example)).to_avro()
    action = {"action_id": "a", "version": 1, "name": "CRM", "active": True, "scope": "all_calls",
              "option": "call_detail"}  # fmt: skip
    own = {"dispatch_id": "d", "account_id": "acme", "action_id": "a", "sid": "s",
           "config_version": 1, "action_version": 1, "routed_at": 5}  # fmt: skip
    whole = current("Dispatch").encode(own | {"call": call, "action": action})
    head = binary.write(current("Dispatch").layout.part(last="call_bytes"), own)
    calls, actions = current("CallCompleted").encode(call), current("Action").encode(action)
    assert whole == head + calls + actions


class FakeRegistry:
    """Gives ids in order of registration; answers nothing while `away`."""

    def __init__(self):
        self.schemas = []
        self.subjects = []
        self.asked = 0
        self.away = False

    def writer(self, schema_id):
        self.asked += 1
        if self.away:
            raise RegistryUnavailable("away")
        return self.schemas[schema_id - 1] if schema_id <= len(self.schemas) else None

    def register(self, subject, schema):
        self.asked += 1
        if self.away:
            raise RegistryUnavailable("away")
        self.subjects.append(subject)
        self.schemas.append(schema)
        return len(self.schemas)


def test_writing_confluents_format_without_a_registry_is_refused():
    with pytest.raises(ValueError, match="needs a registry"):
        Codec(write_confluent=True)


def test_a_topic_may_hold_a_mixture_of_both_formats():
    registry = FakeRegistry()
    old, new = Codec(), Codec(registry, write_confluent=True)
    topic = [old.encode("Routing", routing("old"), "t"), new.encode("Routing", routing("new"), "t")]
    assert topic[1][:5] == b"\x00\x00\x00\x00\x01"
    for reader in (Codec(registry), new):
        assert [reader.decode(data, "Routing")["label"] for data in topic] == ["old", "new"]


def test_the_registry_is_asked_once_a_record_and_topic():
    registry = FakeRegistry()
    codec = Codec(registry, write_confluent=True)
    for _ in range(3):
        codec.decode(codec.encode("Routing", routing(), "t"), "Routing")
    assert registry.subjects == ["t-value"]
    assert registry.asked == 1


def test_an_unknown_id_of_the_registry_is_an_unknown_schema():
    assert reason(b"\x00\x00\x00\x00\x07x", codec=Codec(FakeRegistry())) == "unknown_schema"


def test_a_registry_that_is_away_says_nothing_about_the_record():
    registry = FakeRegistry()
    data = Codec(registry, write_confluent=True).encode("Routing", routing(), "t")
    reader = Codec(registry)
    registry.away = True
    with pytest.raises(RegistryUnavailable):
        reader.decode(data, "Routing")
    registry.away = False
    assert reader.decode(data, "Routing") == routing()


def test_a_schema_of_ours_from_the_registry_is_the_released_object():
    registry = FakeRegistry()
    registry.schemas.append(parse(current("Routing").definition))
    data = b"\x00\x00\x00\x00\x01" + current("Routing").encode(routing())
    assert Codec(registry).split(data, "Routing") == (current("Routing"), 5)


def test_a_foreign_writer_of_our_record_is_resolved_to_our_shape():
    foreign = {"type": "record", "name": "Routing", "namespace": "pca", "fields": [
        {"name": "label", "type": "string"}, {"name": "colour", "type": "string"},
        {"name": "send", "type": current("Routing").definition["fields"][0]["type"]}]}  # fmt: skip
    registry = FakeRegistry()
    registry.schemas.append(parse(foreign))
    out = io.BytesIO(b"\x00\x00\x00\x00\x01")
    out.seek(5)
    record = {"label": "l", "colour": "red", "send": "none"}
    fastavro.schemaless_writer(out, registry.schemas[0].parsed, record)
    read = Codec(registry).decode(out.getvalue(), "Routing")
    assert read == {"send": "none", "action_id": "", "label": "l"}


def test_every_released_schema_is_known_by_its_fingerprint():
    assert {schema.name for schema in by_fingerprint().values()} == set(RECORDS)

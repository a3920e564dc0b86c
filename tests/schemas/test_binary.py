"""Avro's binary encoding: as fastavro has it, compiled or not."""

from __future__ import annotations

import importlib
import importlib.util
import io
import random
import struct
import sys
from pathlib import Path
from types import SimpleNamespace

import fastavro
import pytest
import setuptools
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import binary, layouts
from schemas.released import current, releases

ROOT = Path(__file__).parents[2]
NAMES = sorted(releases()[max(releases())])


def plain(name):
    """One of the modules as plain Python, whether or not it is compiled here."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"{name.replace('.', '/')}.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        if name == "schemas.binary":
            patch.setitem(sys.modules, "schemas.layouts", PLAIN_LAYOUTS)
        spec.loader.exec_module(module)
    return module


PLAIN_LAYOUTS = plain("schemas.layouts")


def setup_py():
    spec = importlib.util.spec_from_file_location("setup_py", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def together(layouts_, binary_):
    return SimpleNamespace(**{**vars(binary_), "layout": layouts_.layout})


MODULES = {
    "installed": together(layouts, binary),
    "plain": together(PLAIN_LAYOUTS, plain("schemas.binary")),
}

LONGS = st.one_of(st.integers(-70, 70), st.integers(-(2**63), 2**63 - 1))
LEAVES = {
    "string": st.text(st.characters(exclude_categories=("Cs",)), max_size=80),
    "long": LONGS,
    "boolean": st.booleans(),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=90),
}


def values(type_, named):
    """Any value of a type as fastavro has parsed it; `named`: the records met so far."""
    if isinstance(type_, list):
        return st.one_of(st.none(), values(type_[1], named))
    if isinstance(type_, str):
        return LEAVES[type_] if type_ in LEAVES else named[type_]
    if type_["type"] == "record":
        fields = {field["name"]: values(field["type"], named) for field in type_["fields"]}
        named[type_["name"]] = st.fixed_dictionaries(fields)
        return named[type_["name"]]
    if type_["type"] == "array":
        return st.lists(values(type_["items"], named), max_size=3)
    if type_["type"] == "map":
        return st.dictionaries(LEAVES["string"], values(type_["values"], named), max_size=3)
    return st.sampled_from(type_["symbols"])


def by_fastavro(schema, record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


def a_layout(module, type_, **field):
    return module.layout({"type": "record", "name": "R", "fields": [{"name": "f", "type": type_,
                                                                      **field}]})  # fmt: skip


@pytest.fixture(params=MODULES)
def module(request):
    return MODULES[request.param]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "Dispatch"])
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_record_has_the_bytes_that_fastavro_gives_it(name, data):
    schema = current(name)
    record = data.draw(values(schema.parsed, {}))
    expected = by_fastavro(schema.parsed, record)
    for module in MODULES.values():
        layout = module.layout(schema.definition)
        assert module.write(layout, record) == expected
        assert module.read(layout, b"--" + expected, 2) == (record, 2 + len(expected))
        assert module.end_of(layout, b"--" + expected, 2) == 2 + len(expected)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_gets_the_schemas_default(name):
    schema = current(name)
    layout = schema.layout
    record = {field.name: _something(field) for field in layout.inner if not _has_default(field)}
    assert binary.write(layout, record) == by_fastavro(schema.parsed, record)


def _has_default(field):
    try:
        binary.write(layouts.Layout("r", 6, False, [field], [], None), {})
    except ValueError:
        return False
    return True


def _something(field):
    """Of `field`'s type, with as little in it as can be."""
    kinds = ("", 0, False, 0.0, b"", [], *field.symbols)
    for value in kinds:
        try:
            binary.write(layouts.Layout("r", 6, False, [field], [], None), {field.name: value})
        except ValueError:
            continue
        return value
    return {inner.name: _something(inner) for inner in field.inner if not _has_default(inner)}


def test_every_truncation_is_malformed_and_says_where(module):
    layout = module.layout(current("Attempt").definition)
    record = {"account_id": "acme", "dispatch_id": "d", "action_id": "a", "sid": "s",
              "attempt": 1, "config_version": 300, "action_version": 1, "started_at": 10**15,
              "duration_us": 1200, "method": "GET", "url": "http://example.com/?n=1",
              "outcome": "delivered", "request_headers": {"Accept": "*/*"},
              "response_body": b"x" * 200, "status": 200}  # fmt: skip
    whole = module.write(layout, record)
    assert module.end_of(layout, whole) == len(whole)
    for size in range(len(whole)):
        for look in (module.read, module.end_of):
            with pytest.raises(module.Malformed, match=r"^\w+: "):
                look(layout, whole[:size])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.binary(max_size=200))
def test_garbage_is_malformed_or_read_the_same_by_all(name, garbage):
    found = set()
    for module in MODULES.values():
        layout = module.layout(current(name).definition)
        try:
            record, end = module.read(layout, garbage)
        except module.Malformed:
            found.add(None)
        else:
            found.add((repr(record), end))
            assert module.end_of(layout, garbage) == end
    assert len(found) == 1


def test_flipped_bits_are_malformed_or_read_the_same_by_all():
    dice = random.Random(3)
    schema = current("CallCompleted")
    call = {"account_id": "acme", "sid": "s", "call_type": "inbound", "talk_seconds": 61,
            "started_at": 1_782_914_602_000_000,
            "all_actions": ["Virtual Receptionist", "Find Me"],
            "lookup": {"last_name": "Müller"}, "leadflow": {"id": "7"}}  # fmt: skip
    whole = schema.encode(call)
    layouts = [(module, module.layout(schema.definition)) for module in MODULES.values()]
    for _ in range(3000):
        garbled = bytearray(whole)
        for _ in range(dice.choice((1, 1, 2, 5))):
            garbled[dice.randrange(len(garbled))] ^= 1 << dice.randrange(8)
        found = set()
        for module, layout in layouts:
            try:
                found.add(repr(module.read(layout, bytes(garbled))))
            except module.Malformed:
                found.add("malformed")
        assert len(found) == 1


@pytest.mark.parametrize("number", [0, -1, 63, 64, -64, -65, 2**31, 2**62, 2**63 - 1, -(2**63)])
def test_numbers_keep_their_value_to_the_last_bit(module, number):
    layout = a_layout(module, "long")
    data = module.write(layout, {"f": number})
    assert module.read(layout, data) == ({"f": number}, len(data))


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("long", b"\xff" * 11),
        ("string", b"\x01"),  # a length of -1
        ("string", b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"),  # 2⁶³ - 1
        ("bytes", b"\x03ab"),
        ("boolean", b"\x02"),
        (["null", "long"], b"\x04\x00"),
        ({"type": "enum", "name": "E", "symbols": ["a", "b"]}, b"\x04"),
        ({"type": "enum", "name": "E", "symbols": ["a", "b"]}, b"\x01"),
        ({"type": "array", "items": "long"}, b"\x06\x00\x00"),
        ("string", b"\x02\xff"),
        ("double", b"\0" * 7),
    ],
)
def test_what_no_writer_writes_is_malformed(module, type_, data):
    with pytest.raises(module.Malformed, match=r"^f: "):
        module.read(a_layout(module, type_), data)


def test_blocks_that_give_their_size_are_read(module):
    layout = a_layout(module, {"type": "array", "items": "long"})
    data = b"\x03\x04\x02\x04" + b"\x02\x06" + b"\x00"  # two items in 2 bytes; one; no more
    assert module.read(layout, data) == ({"f": [1, 2, 3]}, len(data))
    assert module.end_of(layout, data) == len(data)


@pytest.mark.parametrize(
    ("type_", "value"),
    [("string", 5), ("string", None), ("long", "5"), ("long", 1.5), ("long", 2**63),
     ("long", -(2**63) - 1), ("boolean", 1), ("bytes", "text"), ("double", "1"),
     ("string", "\ud800"), ({"type": "array", "items": "long"}, (1,)),
     ({"type": "array", "items": "long"}, ["x"]), ({"type": "map", "values": "string"}, {1: "x"}),
     ({"type": "enum", "name": "E", "symbols": ["a"]}, "b")],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_refused_and_its_field_named(module, type_, value):
    with pytest.raises(ValueError, match=r"^f: "):
        module.write(a_layout(module, type_), {"f": value})


def test_a_field_that_is_missing_is_named(module):
    with pytest.raises(ValueError, match=r"^f: it is missing"):
        module.write(a_layout(module, "string"), {})


@pytest.mark.parametrize("type_", ["int", "float", ["long", "null"], ["null", "long", "string"],
                                   {"type": "fixed", "name": "F", "size": 4}])  # fmt: skip
def test_a_type_that_is_not_known_is_refused_at_once(module, type_):
    with pytest.raises(ValueError, match=r"^f: "):
        a_layout(module, type_)


def test_fields_may_be_passed_over(module):
    layout = module.layout(current("CallCompleted").definition)
    call = {"account_id": "acme", "sid": "s", "call_type": "", "started_at": 5,
            "lookup": {"city": "Elgin"}, "sourcetrak": {"rank": 3, "pool_type": "seo"}}  # fmt: skip
    data = module.write(layout, call)
    whole, end = module.read(layout, data)
    some, same_end = module.read(layout.only({"sid", "all_actions", "sourcetrak"}), data)
    assert same_end == end
    assert some == {n: v for n, v in whole.items() if n in ("sid", "all_actions", "sourcetrak")}


def test_reading_may_stop_after_some_field(module):
    layout = module.layout(current("CallCompleted").definition)
    call = {"account_id": "acme", "sid": "s", "call_type": "", "started_at": 5}
    data = module.write(layout, call)
    record, end = module.read(layout.part(last="sid"), data)
    assert record == {"account_id": "acme", "sid": "s"}
    assert data[:end] == b"\x08acme\x02s"


def test_doubles_are_little_endian(module):
    layout = a_layout(module, ["null", "double"])
    assert module.write(layout, {"f": 2.5}) == b"\x02" + struct.pack("<d", 2.5)


@pytest.mark.skipif(binary.__file__.endswith(".py"), reason="nothing is compiled here")
@pytest.mark.parametrize("name", setup_py().COMPILED)
def test_what_is_compiled_is_what_stands_in_the_source(name):
    """Else everything tests an older version: `make setup` builds it anew."""
    module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
    assert not module.__file__.endswith(".py")
    (built,) = (ROOT / "schemas").glob("hot__mypyc*.so")
    assert built.stat().st_mtime >= (ROOT / name).stat().st_mtime


def test_without_a_compiler_the_installation_goes_on(monkeypatch):
    monkeypatch.setattr("mypyc.build.mypycify", lambda *_, **__: [setuptools.Extension("x", [])])
    assert [extension.optional for extension in setup_py().extensions()] == [True]

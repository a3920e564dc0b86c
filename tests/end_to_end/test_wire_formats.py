"""Both wire formats on the same topics: what was written before a registry came is still read."""

import pytest
from line import eventually

from deploy.registry.server import LocalRegistry
from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from streaming import wire


@pytest.fixture(scope="module")
def registry(registry_can_run, tmp_path_factory):
    registry = LocalRegistry(tmp_path_factory.mktemp("registry"))
    registry.start()
    yield registry
    registry.stop()


def formats(messages):
    return {"single-object" if m.value()[0] == 0xC3 else "Confluent" for m in messages}


def sids(receiver):
    return sorted(dict(arrival.query)["sid"] for arrival in receiver.arrivals)


def test_a_registry_can_be_switched_on_and_off_with_records_of_both_formats_on_every_topic(
    line, action, receiver, registry
):
    # Configuration, a call and a dispatch in single-object encoding, not yet delivered.
    line.configure({"id": "acme", "name": "Acme", "actions": [action("crm")]})
    (router,) = line.start("router")
    line.send(line.call(sid="1-before"))
    before = line.read(line.topics.dispatch, 1)
    router.stop()

    # Now with a registry: a second account, another call, and stages that write Confluent's.
    line.codec = wire.codec(line.settings.model_copy(update={"schema_registry_url": registry.url}))
    line.configure({"id": "beta", "name": "Beta", "actions": [action("second")]})
    line.send(line.call(sid="2-new-format"), account="acme")
    line.send(line.call("beta", sid="3-new-account"), account="beta")
    line.start("router", schema_registry_url=registry.url)
    line.start("dispatcher", schema_registry_url=registry.url)
    eventually(lambda: len(receiver.arrivals) == 3)
    assert sids(receiver) == ["1-before", "2-new-format", "3-new-account"]
    assert formats(before) == {"single-object"}
    assert formats(line.read(line.topics.dispatch, 3)) == {"single-object", "Confluent"}
    assert formats(line.read(line.topics.attempts, 3)) == {"Confluent"}

    # And another tool, which knows nothing of us but the registry, reads an attempt.
    stranger = Codec(ConfluentRegistry(registry.url))
    (attempt, *_) = line.read(line.topics.attempts, 3)
    assert stranger.decode(attempt.value(), "Attempt")["status"] == 200
    stranger.close()
    line.codec.close()


def test_a_schema_id_that_the_registry_does_not_have_ends_as_unknown_schema(
    line, action, receiver, registry
):
    line.configure({"id": "acme", "name": "Acme", "actions": [action("crm")]})
    line.start("router", schema_registry_url=registry.url)
    line.start("dispatcher", schema_registry_url=registry.url)
    line.send(b"\x00\x00\xff\xff\xff" + line.call()[10:], line.call(sid="behind"))
    eventually(lambda: receiver.arrivals)
    (kept,) = line.read(line.topics.unrouted, 1)
    assert dict(kept.headers())["reason"] == b"unknown_schema"

"""Dispatches and calls by the hundred thousand: made of few encoded ones, and written to Kafka.

Avro is plain concatenation: a call's bytes are its account, its sid and the rest, so a few hundred
encoded rests make any number of different calls.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from bench.endpoints import address
from bench.render import EVERYTHING, TWELVE, call
from bench.writing import writing
from router.ids import dispatch_id
from schemas import binary
from schemas.codec import Codec
from schemas.configuration import Account, Action, account_to_avro, action_key, config_key
from schemas.dispatch import HEAD
from schemas.released import current
from streaming import topics as kafka_topics
from streaming.partitions import partition_of
from streaming.settings import Settings

Payload = Literal["12 parameters", "all placeholders", "POST JSON"]
PAYLOADS: tuple[Payload, ...] = ("12 parameters", "all placeholders", "POST JSON")
VARIANTS = 300


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoints that requests are meant for: endpoint i is an origin of its own."""

    endpoints: int
    port: int
    authority: str = ""
    """PEM that they are trusted by; plain HTTP where empty."""
    payload: Payload = "12 parameters"

    def action(self, index: int, name: str = "CRM") -> Action:
        """What is sent to endpoint `index`. Its parameter `n` is the call's sid."""
        all_of_it = self.payload == "all placeholders"
        placeholders = [one for one in (EVERYTHING if all_of_it else TWELVE) if one != "sid"]
        given: dict[str, Any] = {
            "name": name,
            "scope": "all_calls",
            "target_url": self.url(index),
            "include_sourcetrak": all_of_it,
            "include_leadflow": all_of_it,
            "parameters": [
                {"name": "n", "placeholder": "sid"},
                *({"name": f"p_{one}", "placeholder": one} for one in placeholders),
            ],
        }
        if self.payload == "POST JSON":
            given |= {"method": "POST", "body": "json"}
        if self.authority:
            given["tls"] = {"ca": self.authority}
        return Action.model_validate(given)

    def url(self, index: int) -> str:
        """Of endpoint `index`."""
        scheme = "https" if self.authority else "http"
        return f"{scheme}://{address(index)}:{self.port}/handler.php?client_id=1234"


def account(index: int) -> str:
    """The id of an account."""
    return f"account-{index}"


class Calls:
    """Calls of which no two are the same, for nearly nothing each."""

    def __init__(self) -> None:
        schema = current("CallCompleted")
        anonymous = {"account_id": "", "sid": ""}
        # The two empty texts are a byte each.
        self._rests = [schema.encode(call(n) | anonymous)[2:] for n in range(VARIANTS)]

    def body(self, account_id: str, number: int) -> bytes:
        """A CallCompleted without header, whose sid is the number."""
        return _text(account_id) + _text(str(number)) + self._rests[number % VARIANTS]


class Dispatches:
    """What a router would make of these calls: one dispatch each."""

    def __init__(self, target: Target) -> None:
        self._calls = Calls()
        record = target.action(0).to_avro("crm", 1)
        encode = current("Action").encode
        self._actions = [
            encode(record | {"target_url": target.url(index)}) for index in range(target.endpoints)
        ]

    def body(self, number: int, routed_at: int) -> tuple[str, bytes]:
        """Key, and Dispatch without header; `routed_at` in microseconds since 1970."""
        index = number % len(self._actions)
        account_id, sid = account(index), str(number)
        called = self._calls.body(account_id, number)
        head = {
            "dispatch_id": dispatch_id(account_id, sid, 0, "crm"),
            "account_id": account_id,
            "action_id": "crm",
            "sid": sid,
            "config_version": 1,
            "action_version": 1,
            "routed_at": routed_at,
            "reverse_lookup_enabled": True,
            "sourcetrak_enabled": True,
            "leadflow_enabled": True,
            "call_bytes": len(called),
        }
        body = binary.write(HEAD, head) + called + self._actions[index]
        return action_key(account_id, "crm"), body


def _text(value: str) -> bytes:
    """As Avro writes a short text: twice its length, and the text."""
    assert len(value) < 64
    return bytes((2 * len(value),)) + value.encode("ascii")


def write_dispatches(settings: Settings, target: Target, count: int) -> None:
    """`count` of them onto the dispatch topic, one endpoint after the other."""
    topic = kafka_topics.ensure(settings).dispatch
    header = Codec().header("Dispatch", topic)
    dispatches = Dispatches(target)
    now = time.time_ns() // 1000
    with writing(settings) as writer:
        for number in range(count):
            key, body = dispatches.body(number, now)
            writer.send(topic, key, header + body)


def write_calls(settings: Settings, accounts: int, count: int) -> None:
    """`count` of them onto the calls topic, one account after the other."""
    topic = kafka_topics.ensure(settings).calls
    header = Codec().header("CallCompleted", topic)
    calls = Calls()
    ids = [account(index) for index in range(accounts)]
    with writing(settings) as writer:
        for number in range(count):
            id_ = ids[number % accounts]
            writer.send(topic, id_, header + calls.body(id_, number))


def write_configuration(settings: Settings, target: Target, actions: int) -> None:
    """An account for each endpoint, with so many actions that run for all its calls."""
    topic = kafka_topics.ensure(settings).config
    codec = Codec()
    with writing(settings) as writer:
        for index in range(target.endpoints):
            id_ = account(index)
            partition = partition_of(id_, settings.calls_partitions)
            features = Account(
                name=id_,
                reverse_lookup_enabled=True,
                sourcetrak_enabled=True,
                leadflow_enabled=True,
            )
            value = codec.encode("Account", account_to_avro(features, id_, 1), topic)
            writer.send(topic, config_key(id_, "account", id_), value, partition)
            action = target.action(index)
            for number in range(actions):
                name = f"crm-{number}"
                value = codec.encode("Action", action.to_avro(name, 1), topic)
                writer.send(topic, config_key(id_, "action", name), value, partition)

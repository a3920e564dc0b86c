"""A gateway over a Kafka that acknowledges or fails on command, and builders of calls."""

from __future__ import annotations

import asyncio
import json
import socket

import httpx
import pytest
from confluent_kafka import KafkaError, KafkaException

from producer.gateway import gateway
from producer.intake import Intake
from producer.watch import Watch
from schemas.codec import Codec
from streaming.settings import load

TOPIC = "pca.calls"


def call_fields(**fields) -> dict:
    required = {
        "account_id": "acme",
        "sid": "s-1",
        "started_at": "2026-07-01T14:03:22Z",
        "call_type": "inbound",
    }
    return required | fields


@pytest.fixture
def call():
    """`call(sid="x")`: a sound call as a dict, with the fields given put in place of its own."""
    return call_fields


@pytest.fixture
def ndjson():
    """`ndjson(3, bad={1: {…}})`: so many calls a line, some with wrong fields."""

    def build(count: int, bad: dict[int, dict] | None = None) -> bytes:
        wrong = bad or {}
        lines = [call_fields(sid=f"s-{i}") | wrong.get(i, {}) for i in range(count)]
        return b"\n".join(json.dumps(line).encode() for line in lines)

    return build


class FakeSender:
    """`send` and `len` of a Producer. Answers at once, unless told to hold the answers back."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, bytes]] = []
        self.error: KafkaError | None = None
        self.hold = False
        self.waiting = 0
        self.refuse_after: int | None = None
        self._held: list = []
        self._sent = asyncio.Event()

    def __len__(self) -> int:
        return self.waiting + len(self._held)

    def send(self, topic, key, value, acks) -> None:
        if self.refuse_after is not None and len(self.records) >= self.refuse_after:
            raise KafkaException(KafkaError(KafkaError._FATAL, "fenced", fatal=True))
        self.records.append((topic, key, value))
        if self.hold:
            self._held.append(acks.reports)
            self._sent.set()
        elif self.error is not None:
            acks.reports(self.error, None)

    async def holds(self, count: int) -> None:
        """Return when so many answers are held back."""
        while len(self._held) < count:
            await self._sent.wait()
            self._sent.clear()

    def release(self) -> None:
        """Answer all that was held back."""
        held, self._held = self._held, []
        while held:
            reports = held.pop()
            if self.error is not None:
                reports(self.error, None)


class Door:
    """A gateway without Kafka: its client, and what stands behind it."""

    def __init__(self, **settings) -> None:
        self.settings = load(admin_key="k", **settings)
        self.sender = FakeSender()
        self.watch = Watch(lambda: None)
        self.watch.reason = None
        self.ended = False
        self.codec = Codec()
        self.intake = Intake(
            self.sender,
            TOPIC,
            self.watch,
            max_queued=self.settings.producer_max_queued,
            on_fatal=self._end,
        )
        self.app = gateway(self.settings, self.intake, self.watch, self.codec, TOPIC)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://gateway",
            headers={"Authorization": "Bearer k"},
        )

    def _end(self) -> None:
        self.ended = True

    async def post(self, body, content_type="application/json", **headers) -> httpx.Response:
        """Post bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": content_type} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        return await self.client.post("/v1/calls", content=content, headers=given)

    async def lines(self, body: bytes) -> httpx.Response:
        return await self.post(body, "application/x-ndjson")

    def written(self) -> list[dict]:
        """The records that were sent, decoded."""
        return [self.codec.decode(value, "CallCompleted") for _, _, value in self.sender.records]


@pytest.fixture
def new_door():
    """`new_door(producer_max_queued=3)`: a gateway with settings of its own."""
    return Door


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def timed_out():
    return KafkaError(KafkaError._MSG_TIMED_OUT)


@pytest.fixture
def unused_port():
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

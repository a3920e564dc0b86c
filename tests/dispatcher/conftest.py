"""Builders: dispatches, actions, trackers, and clocks that only move when told."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest
from example_call import EXAMPLE
from fake_producer import FakeProducer

from dispatcher.breaker import Rules
from dispatcher.delivery import Delivery
from dispatcher.flight import FlightReader
from dispatcher.ledger import Ledger
from dispatcher.render import compile_action
from dispatcher.schedule import Schedule
from dispatcher.traffic import Traffic
from dispatcher.transport import Answer, TransportError
from router.ids import dispatch_id
from schemas.call import Call
from schemas.codec import decode_body
from schemas.released import current
from streaming import settings as kafka_settings
from streaming import topics as kafka_topics
from streaming.offsets import OffsetTracker


def _decoded(name, record):
    schema = current(name)
    return decode_body(schema.encode(record), 0, schema)


def _parameter(name, placeholder):
    return {"name": name} | (
        placeholder if isinstance(placeholder, dict) else {"placeholder": placeholder}
    )


def _action(target_url="http://example.com/", **fields):
    parameters = fields.pop("parameters", {})
    return {
        "action_id": "crm", "version": 1, "name": "CRM", "active": True, "scope": "all_calls",
        "option": "call_detail", "target_url": target_url, "method": "GET",
        "parameters": [_parameter(n, p) for n, p in parameters.items()],
    } | fields  # fmt: skip


def _call(**fields):
    required = {"account_id": "acme", "sid": "s-1", "started_at": 0, "call_type": "inbound"}
    return required | fields


def _dispatch(call=None, action=None, **fields):
    call, action = _call(**(call or {})), action or _action()
    head = {
        "account_id": call["account_id"], "sid": call["sid"], "action_id": action["action_id"],
        "dispatch_id": dispatch_id(call["account_id"], call["sid"], 0, action["action_id"]),
        "config_version": 1, "action_version": 1, "routed_at": 0,
        "call_bytes": len(current("CallCompleted").encode(call)),
    }  # fmt: skip
    return _decoded("Dispatch", head | fields | {"call": call, "action": action})


@pytest.fixture(scope="session")
def action():
    """`action("http://…?x=1", parameters={"from": "caller_id"})`: an Action record."""
    return lambda *args, **fields: _decoded("Action", _action(*args, **fields))


@pytest.fixture(scope="session")
def dispatch():
    """`dispatch({"sid": "s-7"}, action(…), attempt=2)`: a Dispatch record."""
    return _dispatch


@pytest.fixture(scope="session")
def request_for(action, dispatch):
    """`request_for("http://…", {"from": "caller_id"}, caller_id="1")`: what would be sent."""

    def build(target_url="http://example.com/", parameters=None, method="GET", **call):
        one = action(target_url, parameters=parameters or {}, method=method)
        return compile_action(one).request(dispatch(call, one), 0)

    return build


@pytest.fixture(scope="session")
def rich():
    """`rich(talk_seconds=0)`: the documented example with every block filled, and changes to it.
    A dictionary changes some fields of a block."""

    def build(**changes):
        call = Call.model_validate_json(json.dumps(EXAMPLE)).to_avro()
        return call | {
            name: call[name] | value if isinstance(value, dict) else value
            for name, value in changes.items()
        }

    return build


ALL_ENABLED = dict.fromkeys(
    ("reverse_lookup_enabled", "sourcetrak_enabled", "leadflow_enabled"), True
)


@pytest.fixture(scope="session")
def render(action, dispatch):
    """`render(call, include_leadflow=True, body="json")`: what the action with these fields sends,
    for an account that has everything enabled but what `account` changes."""

    def build(call=None, target_url="http://h/", account=None, **fields):
        one = action(target_url, **fields)
        record = dispatch(call, one, **ALL_ENABLED | (account or {}))
        return compile_action(one).request(record, 0)

    return build


@pytest.fixture(scope="session")
def wire(codec):
    """A Dispatch record as bytes."""
    return lambda record: codec.encode("Dispatch", record, "d")


@pytest.fixture(scope="session")
def reader(codec):
    return FlightReader(codec, "http://google.example")


@pytest.fixture
def tracker():
    """`tracker("topic")`: of a partition that was just assigned."""
    return lambda topic="pca.dispatch", partition=0: OffsetTracker(topic, partition)


class FakeConsumer:
    """What the stage and the delivery ask of the consumer loop."""

    def __init__(self):
        self.completed, self.abandoned, self.failures = [], [], []
        self.doubtful = False

    def in_doubt(self):
        return self.doubtful

    def complete(self, runs):
        self.completed += [first for _, first, _ in runs]

    def abandon(self, tracker, count):
        self.abandoned.append((tracker, count))

    def fail(self, error):
        self.failures.append(error)


class FakeTransport:
    """Answers as the test says; holds requests while `holding`."""

    def __init__(self):
        self.requests, self.answer, self.closed = [], Answer(200, {}, b""), False
        self.holding, self.held = False, []
        self.most = self.now = 0
        self.tasks = set()

    def start(self, request, ended):
        if isinstance(self.answer, Exception) and not isinstance(self.answer, TransportError):
            raise self.answer
        task = asyncio.get_running_loop().create_task(self._sent(request, ended))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _sent(self, request, ended):
        try:
            result = await self.send(request)
        except TransportError as error:
            result = error
        ended(result)

    async def send(self, request):
        self.requests.append(request)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.holding:
                future = asyncio.get_running_loop().create_future()
                self.held.append(future)
                await future
            answer = self.answer(request) if callable(self.answer) else self.answer
            if isinstance(answer, Exception):
                raise answer
            return answer
        finally:
            self.now -= 1

    def release(self, count=None):
        held, self.held = self.held[:count], self.held[len(self.held[:count]) :]
        for future in held:
            if not future.done():
                future.set_result(None)

    async def close(self):
        self.closed = True
        for task in self.tasks:
            task.cancel()


class JumpingLoop:
    """The running event loop, but for its timers: those go off when the clock jumps past them."""

    def __init__(self, loop):
        self._loop, self.now, self._timers = loop, 0, []
        self.call_soon, self.create_task = loop.call_soon, loop.create_task
        self.call_soon_threadsafe = loop.call_soon_threadsafe

    def call_later(self, delay, callback):
        timer = SimpleNamespace(
            at=self.now + round(delay * 1e6), callback=callback, cancelled=False
        )
        timer.cancel = lambda: setattr(timer, "cancelled", True)
        self._timers.append(timer)
        return timer

    def jump(self, seconds):
        self.now += round(seconds * 1e6)
        due = [t for t in self._timers if t.at <= self.now and not t.cancelled]
        self._timers = [t for t in self._timers if t.at > self.now and not t.cancelled]
        for timer in sorted(due, key=lambda timer: timer.at):
            timer.callback()


class Sender:
    """A Delivery between fakes, and what came out of it."""

    def __init__(self, codec, reader, loop, in_flight=40, in_flight_per_action=10):
        self._codec, self._reader = codec, reader
        settings = kafka_settings.load(dispatcher_retry_schedule="5s,1m", admin_key="k")
        self.topics = kafka_topics.topics(settings)
        self.clock = JumpingLoop(loop)
        self.consumer, self.producer = FakeConsumer(), FakeProducer()
        self.transport = FakeTransport()
        self.tracker = OffsetTracker(self.topics.dispatch, 0)
        self._offset = 0
        self.delivery = Delivery(
            loop=self.clock,
            consumer=self.consumer,
            ledger=Ledger(self.consumer, self.producer, codec, self.topics),
            transport=self.transport,
            traffic=Traffic(
                Schedule((("5s", 5.0), ("1m", 60.0)), dice=lambda: 0.0),
                Rules(),
                in_flight,
                in_flight_per_action,
            ),
            partitions=12,
            clock=lambda: self.clock.now,
        )

    def flight(self, *args, tracker=None, **fields):
        value = self._codec.encode("Dispatch", _dispatch(*args, **fields), "d")
        flight = self._reader.read(tracker or self.tracker, self._offset, value)
        self._offset += 1
        return flight

    async def take(self, *flights):
        self.delivery.hand_over(flights)
        await self.settle()

    async def settle(self):
        """Until nothing more happens by itself."""
        for _ in range(30):
            await asyncio.sleep(0)

    async def jump(self, seconds):
        self.clock.jump(seconds)
        await self.settle()

    def written(self, topic):
        """The records on a topic, decoded."""
        names = {self.topics.attempts: "Attempt", self.topics.endpoints: "Endpoint"}
        name = names.get(topic, "Dispatch")
        return [self._codec.decode(r.value, name) for r in self.producer.sent if r.topic == topic]


@pytest.fixture
async def sender(codec, reader):
    """`sender(in_flight=2)`: a Delivery that starts with the clock at zero."""
    made = []

    def build(**caps):
        made.append(Sender(codec, reader, asyncio.get_running_loop(), **caps))
        return made[-1]

    yield build
    for one in made:
        await one.delivery.close()


class RawServer:
    """A server on 127.0.0.1 that answers with the bytes it was given, or however `answer` does.

    `answer` may be bytes, a list of parts written one by one, or a coroutine function
    (reader, writer) that does as it likes after the request was read.
    """

    def __init__(self, answer):
        self.answer, self.requests, self.connections = answer, [], 0
        self.all_closed = asyncio.Event()
        """Set while no client is connected any more."""
        self._writers, self._open = [], 0

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader, writer):
        self.connections += 1
        self._open += 1
        self.all_closed.clear()
        self._writers.append(writer)
        try:
            while head := await self._read(reader):
                self.requests.append(head)
                if callable(self.answer):
                    await self.answer(reader, writer)
                    return
                writer.write(self.answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            self._open -= 1
            if not self._open:
                self.all_closed.set()

    async def _read(self, reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
             if line.startswith(b"content-length")), 0,
        )  # fmt: skip
        return head + await reader.readexactly(length)

    async def hang_up(self):
        """Close all connections from this side."""
        for writer in self._writers:
            writer.close()
            await writer.wait_closed()

    async def stop(self):
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)


@pytest.fixture
async def server():
    """`await server(b"HTTP/1.1 200 OK…")`"""
    started = []

    async def start(answer):
        one = RawServer(answer)
        started.append(one)
        await one.start()
        return one

    yield start
    for one in started:
        await one.stop()

"""Events for Google Analytics and conditions, through Kafka and real processes."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from line import eventually
from measurement import Measurement

from console.demo.receiver import Receiver

VISITOR = {"pool_id": "p-9", "google_ua_client_id": "GA1.2.123456.7654321"}


@pytest.fixture
def google():
    """The receiver on an event loop in a thread: everything else here waits."""
    started, stopped = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    server = Measurement()

    async def serve():
        await server.start()
        started.set()
        await stopped.wait()
        await server.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(10)
    yield server
    loop.call_soon_threadsafe(stopped.set)
    thread.join(10)
    loop.close()


def ago(**time):
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


def test_an_event_is_sent_a_skipped_call_is_told_of_and_nothing_is_dead(line, google, action):
    event = {"measurement_id": "G-ABC123", "api_secret": "very-secret", "event_name": "phone_call",
             "parameters": [{"name": "minutes", "placeholder": "talk_minutes"}]}  # fmt: skip
    ga = {"id": "ga", "name": "GA", "scope": "all_calls", "option": "google_analytics",
          "google_analytics": event, "conditions": {"minimum_talk_seconds": 10}}  # fmt: skip
    line.configure({"id": "acme", "name": "Acme", "actions": [ga]})
    line.start("router")
    (dispatcher,) = line.start("dispatcher", google_analytics_url=google.url)
    line.send(
        line.call(sid="sent", started_at=ago(minutes=1), talk_seconds=61, sourcetrak=VISITOR),
        line.call(sid="nobody", started_at=ago(minutes=1), talk_seconds=61),
        line.call(sid="old", started_at=ago(hours=73), talk_seconds=61, sourcetrak=VISITOR),
        line.call(sid="short", started_at=ago(minutes=1), talk_seconds=9, sourcetrak=VISITOR),
    )
    messages = line.read(line.topics.attempts, 3)
    attempts = [line.codec.decode(message.value(), "Attempt") for message in messages]
    told = {attempt["sid"]: (attempt["outcome"], attempt["error"]) for attempt in attempts}
    assert told == {
        "sent": ("delivered", ""),
        "nobody": ("skipped", "no_client_id"),
        "old": ("skipped", "too_old"),
    }
    assert google.faults == []
    (sent,) = google.events
    assert sent["client_id"] == "123456.7654321"
    assert sent["events"] == [{"name": "phone_call", "params": {"minutes": 1.1}}]
    assert "very-secret" not in str(attempts)
    assert (line.count(line.topics.dead), line.count(line.topics.dispatch)) == (0, 3)
    assert eventually(
        lambda: line.metric(dispatcher, "pca_attempts_total", outcome="skipped", error="too_old")
    )
    assert "very-secret" not in dispatcher.metrics()


def test_conditions_choose_among_calls(line, action, receiver: Receiver):
    line.configure(
        {
            "id": "acme",
            "name": "Acme",
            "actions": [
                action("every"),
                action("gold", conditions={"tags": ["gold"], "qualified": "source"}),
            ],
        }
    )
    line.start("router")
    line.start("dispatcher")
    gold = {"tag": "gold", "source_qualified": True}
    line.send(
        line.call(sid="a", leadflow=gold),
        line.call(sid="b", leadflow=gold | {"source_qualified": False}),
        line.call(sid="c"),
    )
    eventually(lambda: len(receiver.arrivals) >= 4)
    found = sorted((a.path.strip("/"), dict(a.query)["sid"]) for a in receiver.arrivals)
    assert found == [("every", "a"), ("every", "b"), ("every", "c"), ("gold", "a")]
    assert line.count(line.topics.dispatch) == 4

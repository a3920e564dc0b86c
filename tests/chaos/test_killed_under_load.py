"""Stages and the broker killed under load: nothing is lost, little is repeated.

The short form runs with the other tests; `make chaos` runs the long one.
"""

import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import pytest
from audit import Fault, arrivals, judge
from line import Line, eventually, settings_for

from deploy.kafka.broker import LocalKafka
from deploy.ports import free_port

COMMIT_INTERVAL = 0.25
ACCOUNTS = [f"account-{i}" for i in range(48)]


@dataclass(frozen=True)
class Size:
    calls: int
    kills: int
    partitions: int
    rate: int
    """Calls a second."""


SHORT = Size(calls=3_000, kills=4, partitions=6, rate=400)
LONG = Size(calls=20_000, kills=10, partitions=12, rate=500)


@pytest.fixture
def broker(kafka_can_run, tmp_path):
    broker = LocalKafka(tmp_path / "kafka")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def sink(tmp_path):
    """A receiver in a process of its own: its URL and its log."""
    port, log = free_port(), tmp_path / "sink.log"
    log.touch()
    process = subprocess.Popen([sys.executable, "-m", "bench.sink", str(port), str(log)])
    yield f"http://127.0.0.1:{port}", log
    process.terminate()
    process.wait(10)


@pytest.fixture
def loaded(broker, sink, tmp_path):
    """A line with two copies of each stage, and accounts with three actions that run and two that
    must not."""
    made = []

    def build(size):
        settings = settings_for(
            broker,
            calls_partitions=size.partitions,
            dispatch_partitions=size.partitions,
            commit_interval=COMMIT_INTERVAL,
            dispatcher_retry_schedule="1s,2s,5s",
        )
        line = Line(settings, tmp_path)
        made.append(line)
        line.configure(*(account(id_, sink[0]) for id_ in ACCOUNTS))
        line.start("router", 2)
        line.start("dispatcher", 2)
        return line

    yield build
    for line in made:
        line.close()


def account(id_, url):
    def action(name, **fields):
        return {
            "id": f"{id_}-{name}", "name": name, "scope": "all_calls",
            "target_url": f"{url}/{name}", "parameters": [{"name": "sid", "placeholder": "sid"}],
        } | fields  # fmt: skip

    runs = [action(name) for name in ("one", "two", "three")]
    idle = [
        action("inactive", active=False),
        action("only-numbers", scope="configured_numbers_only"),
    ]
    return {"id": id_, "name": id_, "actions": [*runs, *idle]}


def expected(size):
    return {f"/{name}?sid={sid}" for sid in range(size.calls) for name in ("one", "two", "three")}


class Load(threading.Thread):
    """Calls at a steady rate, whatever happens to the line."""

    def __init__(self, line, size):
        super().__init__(name="load")
        self._line = line
        self._size = size

    def run(self):
        began = time.monotonic()
        step = max(1, self._size.rate // 20)
        for first in range(0, self._size.calls, step):
            numbers = range(first, min(first + step, self._size.calls))
            self._line.write(
                (self._line.topics.calls, id_, self._line.call(id_, sid=str(n)), -1)
                for n in numbers
                for id_ in [ACCOUNTS[n % len(ACCOUNTS)]]
            )
            time.sleep(max(0.0, began + first / self._size.rate - time.monotonic()))


def kill(line, stage):
    """SIGKILL, and a new process at once. What was hit, and how much was in flight."""
    in_flight = int(line.metric(stage, "pca_requests_in_flight"))
    fault = Fault(time.time(), stage.name, in_flight)
    stage.kill()
    stage.start()
    return fault


def settled(log, size):
    """The moment when everything has arrived and nothing more does."""
    wanted = expected(size)

    def complete():
        return wanted <= {arrival.path for arrival in arrivals(log)}

    eventually(complete, timeout=120, every=0.5)
    last = -1
    while last != (last := log.stat().st_size):
        time.sleep(1.0)  # what is repeated comes within a commit interval of what was missing


def report(title, verdict, faults, size):
    print(
        f"\n{title}: {size.calls:,} calls x 3 actions, {size.partitions} partitions,"
        f" {len(faults)} faults ({', '.join(fault.what for fault in faults)})"
        f"\n  lost {len(verdict.missing)}, not asked for {len(verdict.unexpected)},"
        f" duplicates {verdict.duplicates} (allowed {verdict.allowed}:"
        f" in flight, or completed within the {COMMIT_INTERVAL} s between commits)"
    )


def check(verdict):
    assert verdict.missing == set()
    assert verdict.unexpected == set()
    assert verdict.ids_per_pair == 1
    assert verdict.duplicates <= verdict.allowed


@pytest.mark.timeout(600)
@pytest.mark.parametrize("size", [SHORT, pytest.param(LONG, marks=pytest.mark.chaos)], ids=str)
def test_stages_killed_under_load_lose_nothing_and_repeat_only_what_was_in_hand(loaded, sink, size):
    line, log = loaded(size), sink[1]
    load = Load(line, size)
    load.start()
    dice = random.Random(size.calls)
    faults = []
    pause = size.calls / size.rate / (size.kills + 1)
    for number in range(size.kills):
        time.sleep(pause)
        module = ("router", "dispatcher")[number % 2]
        victim = dice.choice([stage for stage in line.stages if stage.module == module])
        faults.append(kill(line, victim))
    load.join()
    settled(log, size)
    verdict = judge(arrivals(log), expected(size), faults, COMMIT_INTERVAL)
    report("stages killed", verdict, faults, size)
    check(verdict)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("size", [SHORT, pytest.param(LONG, marks=pytest.mark.chaos)], ids=str)
def test_a_broker_killed_under_load_loses_nothing(loaded, sink, broker, size):
    line, log = loaded(size), sink[1]
    load = Load(line, size)
    load.start()
    time.sleep(size.calls / size.rate / 2)
    in_flight = sum(
        int(line.metric(stage, "pca_requests_in_flight"))
        for stage in line.stages
        if stage.module == "dispatcher"
    )
    at = time.time()
    broker.kill()
    broker.start()
    fault = Fault(at, "broker", in_flight, over=time.time())
    load.join()
    settled(log, size)
    verdict = judge(arrivals(log), expected(size), [fault], COMMIT_INTERVAL)
    report("broker killed", verdict, [fault], size)
    assert all(stage.alive for stage in line.stages), "recovered without a restart"
    check(verdict)

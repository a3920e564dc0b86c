"""A whole line under load, with Kafka and the customer's server behind proxies."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from audit import arrivals, judge
from confluent_kafka import KafkaException
from disk import Disk
from line import Line, eventually, settings_for
from load import Load, account
from ordeal import COMMIT_INTERVAL, GivenUp, Ordeal
from progress import REQUESTS, Progress
from toxiproxy import Toxiproxy

from deploy.kafka.broker import LocalKafka
from deploy.ports import HOST, free_port

ACCOUNTS = [f"account-{i}" for i in range(48)]
_DISK = 1 << 30
_GIVEN_UP = re.compile('"message": "(?:revoked|partitions lost)"')
_ASSIGNMENTS = re.compile('"message": "(assigned|revoked|partitions lost|[a-z]+ started)"')


@dataclass(frozen=True)
class Size:
    """Times in seconds."""

    rate: int
    """Calls a second."""
    calm: float
    """How long the load runs before a fault, and after it."""
    outage: float
    """How long Kafka is away."""
    trouble: float
    """How long a connection is bad."""
    session: int
    """Until the group gives up a member that says nothing."""
    kills: int
    partitions: int

    @property
    def frozen(self):
        return self.session + 2.0

    def __str__(self):
        return "long" if self.outage >= 60 else "short"


SHORT = Size(rate=150, calm=1, outage=4, trouble=3, session=3, kills=4, partitions=6)
LONG = Size(rate=200, calm=5, outage=60, trouble=30, session=6, kills=10, partitions=12)


class World:
    """One line for many faults: two copies of each stage, which live through all of them."""

    def __init__(self, size, folder):
        self.size = size
        self._number = 0
        with ExitStack() as ends:
            self.disk = Disk(folder / "disk", _DISK)
            ends.callback(self.disk.close)
            toxiproxy = Toxiproxy(folder / "toxiproxy.log")
            ends.callback(toxiproxy.close)
            port = free_port()
            self.broker = LocalKafka(self.disk.folder / "kafka", proxy=port)
            ends.callback(self.broker.kill)
            self.broker.start()
            self.kafka = toxiproxy.proxy("kafka", self.broker.behind_proxy, port)
            self._log = folder / "sink.log"
            sink = ends.enter_context(_sink(self._log))
            self.endpoint = toxiproxy.proxy("endpoint", sink)
            """In front of the customer's server, for actions two and three."""
            self.line = self._build(folder)
            ends.callback(self.line.close)
            self._start(sink)
            self.progress = Progress(self.line)
            self._ends = ends.pop_all()

    def _build(self, folder):
        settings = settings_for(
            self.broker,
            calls_partitions=self.size.partitions,
            dispatch_partitions=self.size.partitions,
            commit_interval=COMMIT_INTERVAL,
            dispatcher_retry_schedule="1s,2s,5s,10s,20s",
        )
        return Line(settings, folder)

    def _start(self, sink):
        proxied = f"http://{self.endpoint.address}"
        urls = {"one": f"http://{sink}", "two": proxied, "three": proxied}
        self.line.configure(*(account(id_, urls) for id_ in ACCOUNTS))
        session = self.size.session * 1000
        kafka = {
            "bootstrap.servers": self.kafka.address,
            "session.timeout.ms": str(session),
            "heartbeat.interval.ms": str(session // 6),
        }
        for module in ("router", "dispatcher"):
            self.line.start(module, 2, kafka=kafka)

    def close(self):
        self._ends.close()

    def mend(self):
        """As it was, whatever the fault before has left behind."""
        if not self.broker.status().running:
            self.broker.start()
        for stage in self.line.stages:
            if not stage.alive:
                stage.start()
        eventually(lambda: all(stage.ready() for stage in self.line.stages), timeout=60)
        self._calm()

    def _calm(self):
        eventually(lambda: self.progress.undone() == 0, timeout=90, every=0.1)

    def pids(self):
        return [stage.pid for stage in self.line.stages]

    def stages(self, module):
        return [stage for stage in self.line.stages if stage.module == module]

    def under(self, fault, restore=lambda: None):
        """Load, the fault, load again, and the audit when nothing is left to be done.

        `fault()` does the damage and takes it back; what starts Kafka again is `restore()`.
        """
        self.mend()
        self._number += 1
        tag, topics = f"x{self._number}-", self.line.topics
        dead, tries = self.line.count(topics.dead), self.line.ends(topics.attempts)
        load = Load(self.line, ACCOUNTS, tag, self.size.rate)
        ordeal = Ordeal(lambda: arrivals(self._log, tag))
        self.progress.mark()
        load.start()
        try:
            time.sleep(self.size.calm)
            eventually(ordeal.arrivals)
            done = self.progress.done()
            ordeal.at = time.time()
            fault()
            ordeal.unfinished = self.progress.in_hand(done)
            restore()
            ordeal.over = time.time()
            eventually(self._is_whole, 60, 0.1)
            time.sleep(self.size.calm)
        finally:
            load.stop()
        eventually(load.acknowledged, timeout=60)
        wanted = load.expected()
        eventually(lambda: wanted.keys() <= {one.path for one in ordeal.arrivals()}, 180, 0.3)
        self._calm()
        ordeal.given_up = [
            one
            for stage in self.line.stages
            for one in self._given_up(stage)
            if one.at >= ordeal.at
        ]
        ordeal.calls = len(load.written)
        ordeal.dead = self.line.count(topics.dead) - dead
        ordeal.retried = self._retried(tries)
        ordeal.verdict = judge(ordeal.arrivals(), wanted, ordeal.over)
        return ordeal

    def _retried(self, since):
        """How many tries, of those written since, failed and were made again."""
        tries = (self.line.codec.decode(one.value(), "Attempt") for one in self.line.since(since))
        return sum(one["outcome"] == "retry" for one in tries)

    def _given_up(self, stage):
        """Each time that it gave up its partitions, asked or not, as it logged that."""
        for line in stage.log.read_text().splitlines():
            if _GIVEN_UP.search(line):
                told = json.loads(line)
                at = datetime.fromisoformat(told["time"]).timestamp()
                unfinished = told["unfinished"] * REQUESTS[stage.module]
                # Nobody loses a session who could commit while it lasted.
                committed = at - self.size.session - COMMIT_INTERVAL
                asked = told["message"] == "revoked"
                yield GivenUp(stage.name, at, unfinished, committed, asked)

    def _is_whole(self):
        """Whether Kafka and every stage agree on who has which partitions."""
        try:
            whole = self.progress.groups_are_whole()
        except KafkaException:  # a broker that has just come back knows no groups yet
            return False
        return whole and all(map(_is_assigned, self.line.stages))


def _is_assigned(stage):
    *_, last = [None, *_ASSIGNMENTS.findall(stage.log.read_text())]
    return last == "assigned"


@contextmanager
def frozen(*stages):
    """SIGSTOP, and SIGCONT at the end."""
    pids = [stage.pid for stage in stages]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def _sink(log):
    """A receiver in a process of its own; its address."""
    port = free_port()
    log.touch()
    process = subprocess.Popen([sys.executable, "-m", "bench.sink", str(port), str(log)])
    try:
        yield f"{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(10)

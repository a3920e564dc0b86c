"""A router with very many configured numbers: how soon it is ready, and what a number costs.

    python -m bench.numbers [--count 1000000] [--accounts 1000] [--runs 3]

Starts a Kafka of its own in a temporary folder, writes the configuration to `pca.config`, and
starts real router processes: one with nothing configured (its idle memory), then some with all of
it. "Ready" is from starting the process to `/readyz` answering 200. Memory is the resident set.
Look-ups are timed in this process on the same table, for a hundredth of the count and all of it.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track

from deploy.kafka.broker import LocalKafka
from deploy.ports import free_port
from router.configuration import Configuration
from schemas.codec import Codec
from schemas.configuration import Account, Action, Routing, account_to_avro, config_key
from streaming import topics as kafka_topics
from streaming.partitions import partition_of
from streaming.producer import Acks, Producer
from streaming.settings import Settings, load

PARTITIONS = 12
LOOK_UPS = 200_000
out = Console()


def number(i: int) -> str:
    """The i-th number, E.164."""
    return f"+1{2_000_000_000 + i * 7}"


def records(accounts: int, count: int) -> Iterator[tuple[str, bytes, str, dict[str, object]]]:
    """Account id, key, record name and record. A third of the numbers names a specific action,
    two thirds have a Phone Label of their own: no two such settings are the same bytes."""
    for a in range(accounts):
        id_ = f"account-{a}"
        yield (
            id_,
            config_key(id_, "account", id_),
            "Account",
            account_to_avro(Account(name=f"Account {a}"), id_, 1),
        )
        action = Action(name="CRM", scope="all_calls", target_url="http://example.com/crm?id=1")
        yield id_, config_key(id_, "action", f"crm-{a}"), "Action", action.to_avro(f"crm-{a}", 1)
    for i in range(count):
        a = i % accounts
        id_ = f"account-{a}"
        label = None if i % 3 == 0 else f"Campaign {i}"
        routing = (
            Routing(send="specific", action_id=f"crm-{a}", label=label)
            if i % 3 == 1
            else Routing(send="none" if i % 2 else "account_wide", label=label)
        )
        yield id_, config_key(id_, "number", number(i)), "Routing", routing.to_avro()


def write(settings: Settings, accounts: int, count: int) -> None:
    """The whole configuration onto the config topic, acknowledged."""
    topics = kafka_topics.ensure(settings)
    codec = Codec()
    producer = Producer(settings, "bench")
    done = threading.Event()
    acks = Acks(lambda _: done.set())
    everything = records(accounts, count)
    total = count + 2 * accounts
    for account, key, name, record in track(everything, "writing", total, console=out):
        value = codec.encode(name, record, topics.config)
        partition = partition_of(account, PARTITIONS)
        producer.send(topics.config, key, value, acks, partition=partition)
    acks.seal()
    if not done.wait(120):
        sys.exit("Kafka did not take the configuration within 120 s")
    producer.close(1)


def router(settings: Settings) -> tuple[float, float]:
    """Seconds from start to ready, and megabytes resident then, of one router process."""
    port = free_port()
    environment = os.environ | {
        "PCA_KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap,
        "PCA_TOPIC_PREFIX": settings.topic_prefix,
        "PCA_REPLICATION_FACTOR": "1",
        "PCA_ROUTER_METRICS_PORT": str(port),
        "PCA_LOG_LEVEL": "WARNING",
    }
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "router"], env=environment)
    try:
        while not _ready(port):
            if process.poll() is not None or time.monotonic() - began > 300:
                sys.exit("the router did not become ready")
            time.sleep(0.02)
        seconds = time.monotonic() - began
        time.sleep(2)  # what loading left behind is given back by now, or never
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0]) / 1024
        return seconds, resident
    finally:
        process.terminate()
        process.wait(30)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
            return True
    except (OSError, urllib.error.HTTPError):
        return False


def look_up(accounts: int, count: int) -> float:
    """Microseconds to find and read a random number's setting among `count`."""
    codec = Codec()
    table = Configuration(codec)
    for account, key, name, record in records(accounts, count):
        table.apply(partition_of(account, PARTITIONS), key, codec.encode(name, record, "config"))
    wanted = [random.randrange(count) for _ in range(LOOK_UPS)]
    probes = [(f"account-{i % accounts}", number(i)) for i in wanted]
    began = time.perf_counter()
    for account_id, e164 in probes:
        found = table.account(partition_of(account_id, PARTITIONS), account_id)
        assert found is not None
        assert found.number(e164) is not None
    return (time.perf_counter() - began) / LOOK_UPS * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kafka = LocalKafka(Path(folder))
        kafka.start(report=out.print)
        try:
            shared = {"bootstrap.servers": kafka.bootstrap}
            empty = load(kafka=shared, topic_prefix="empty.", replication_factor=1)
            full = load(kafka=shared, topic_prefix="full.", replication_factor=1)
            kafka_topics.ensure(empty)
            write(full, asked.accounts, asked.count)
            idle = [router(empty) for _ in range(asked.runs)]
            loaded = [router(full) for _ in range(asked.runs)]
        finally:
            kafka.stop()
    ready = statistics.median(seconds for seconds, _ in loaded)
    ready_idle = statistics.median(seconds for seconds, _ in idle)
    idle_mb = statistics.median(megabytes for _, megabytes in idle)
    loaded_mb = statistics.median(megabytes for _, megabytes in loaded)
    each = (loaded_mb - idle_mb) * 1024 * 1024 / asked.count
    few = max(asked.accounts, asked.count // 100)
    slow, quick = look_up(asked.accounts, asked.count), look_up(asked.accounts, few)
    out.print(
        f"\n{asked.count:,} numbers in {asked.accounts:,} accounts, {asked.runs} runs, medians"
    )
    out.print(f"ready        {ready:6.2f} s      (with nothing configured {ready_idle:.2f} s)")
    out.print(f"memory       {loaded_mb:6.1f} MB     (idle {idle_mb:.1f} MB)")
    out.print(f"a number     {each:6.1f} bytes above idle")
    out.print(f"a look-up    {slow:6.2f} µs     (among {few:,}: {quick:.2f} µs)")
    for run in loaded:
        out.print(f"  run: ready {run[0]:.2f} s, {run[1]:.1f} MB")


if __name__ == "__main__":
    main()

"""Routers with very many configured numbers: how soon they are ready, and what a number costs.

    python -m bench.numbers [--counts 100000,1000000,10000000] [--routers 2] [--rounds 5] [--quick]

Each count is written to the `pca.config` of topics of its own, 12 partitions. Then router processes
start together and share it, with nothing in memory. "Ready" is from starting them until `/readyz`
of all of them answers 200; memory is what their resident sets have grown by over those of routers
with nothing configured. Look-ups are timed in a process of their own on the table that routers
have: random numbers of random accounts, as many together as a router reads, each found and read.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import random
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.progress import track

from bench.builds import ROOT
from bench.children import module
from bench.command import parser, rounds_of, run
from bench.cpu import spread
from bench.part import Part
from bench.report import Claim, Result, Table, out
from bench.stats import median, ranged
from bench.subjects import OUR_ROUTER, Running, SubjectFailed
from bench.testbed import Testbed
from bench.writing import writing
from router.configuration import Configuration
from router.stage import TOGETHER
from schemas.codec import Codec
from schemas.configuration import Account, Action, Routing, account_to_avro, config_key
from streaming import topics as kafka_topics
from streaming.partitions import partition_of
from streaming.settings import Settings

COUNTS, QUICK_COUNTS = (100_000, 1_000_000, 10_000_000), (20_000,)
ACCOUNTS, ROUTERS, PARTITIONS = 1_000, 2, 12
LOOK_UPS = 200_000
READY_SECONDS = 600.0
SECONDS_LIMIT, BYTES_LIMIT, LOOK_UP_LIMIT = 60.0, 150.0, 1.0
"""Until ready; a number; microseconds a look-up."""
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Start:
    """Of all routers together."""

    seconds: float
    """Until the last was ready."""
    resident: int
    """Bytes."""


@dataclass(slots=True)
class Runs:
    """With one count of numbers."""

    starts: list[Start]
    look_ups: list[float]
    """Microseconds each."""


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
    topic = kafka_topics.ensure(settings).config
    codec = Codec()
    everything = records(accounts, count)
    with writing(settings) as writer:
        for account, key, name, record in track(
            everything, f"writing {count:,}", count + 2 * accounts, console=out
        ):
            value = codec.encode(name, record, topic)
            writer.send(topic, key, value, partition_of(account, PARTITIONS))


def started(testbed: Testbed, settings: Settings, routers: int) -> Start:
    """So many routers, from nothing until all are ready. Raises `SubjectFailed`."""
    with contextlib.ExitStack() as stack:
        began = time.monotonic()
        running = [
            stack.enter_context(
                Running(OUR_ROUTER, settings, testbed.folder / f"router-{index}.log", cores)
            )
            for index, cores in enumerate(spread(routers))
        ]
        # All at once: the first may be ready by itself before the others have joined it.
        while not all(one.ready() for one in running):
            for one in running:
                one.check()
            if time.monotonic() - began > READY_SECONDS:
                raise SubjectFailed(f"the routers are not ready.\n{running[0].log_tail()}")
            time.sleep(0.02)
        seconds = time.monotonic() - began
        time.sleep(2)  # what loading left behind is given back by now, or never
        return Start(seconds, sum(one.resident() for one in running))


def look_ups(accounts: int, count: int, rounds: int) -> list[float]:
    """Microseconds to find the account and read what a random number says among `count`, one a
    round. A call's partition is known, it is that of its record."""
    codec = Codec()
    table = Configuration(codec, PARTITIONS)
    gc.disable()  # as routers do while they load
    for account, key, name, record in records(accounts, count):
        table.apply(partition_of(account, PARTITIONS), key, codec.encode(name, record, "config"))
    gc.freeze()
    gc.enable()
    partitions = [partition_of(f"account-{a}", PARTITIONS) for a in range(accounts)]
    costs = []
    for _ in range(rounds):
        wanted = [random.randrange(count) for _ in range(LOOK_UPS)]
        asked = [(partitions[i % accounts], f"account-{i % accounts}", number(i)) for i in wanted]
        began = time.perf_counter()
        for at in range(0, LOOK_UPS, TOGETHER):
            calls = asked[at : at + TOGETHER]
            found = [table.account(partition, account_id) for partition, account_id, _ in calls]
            known = [account for account in found if account is not None]
            assert len(known) == len(calls)
            assert None not in table.numbers(known, [e164 for _, _, e164 in calls])
        costs.append((time.perf_counter() - began) / LOOK_UPS * 1e6)
    return costs


def look_ups_apart(accounts: int, count: int, rounds: int) -> list[float]:
    """As `look_ups`, in a process whose memory goes with it."""
    command = module("bench.numbers", "--look-ups", accounts, count, rounds)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: list[float] = json.loads(done.stdout)
    return found


def measure(
    testbed: Testbed,
    *,
    rounds: int,
    counts: Sequence[int] = COUNTS,
    accounts: int = ACCOUNTS,
    routers: int = ROUTERS,
) -> Result:
    """Every count, and none, in every round."""
    partitions = {"calls_partitions": PARTITIONS, "dispatch_partitions": PARTITIONS}
    settings = {count: testbed.settings(**partitions) for count in (0, *counts)}
    kafka_topics.ensure(settings[0])
    for count in counts:
        write(settings[count], accounts, count)
    runs = {count: Runs([], []) for count in settings}
    for _ in range(rounds):
        for count, found in runs.items():
            found.starts.append(started(testbed, settings[count], routers))
            out.print(f"{count:,} numbers: ready in {found.starts[-1].seconds:.1f} s")
    for count in counts:
        runs[count].look_ups = look_ups_apart(accounts, count, rounds)
    notes = [
        f"{accounts:,} accounts, {routers} routers over {PARTITIONS} partitions; {rounds} rounds,"
        " medians (ranges).",
        f"Each router has a core to itself where there are {routers}; all else is on any.",
    ]
    return result(runs, notes)


def result(runs: Mapping[int, Runs], notes: list[str]) -> Result:
    """Table and claims from what was measured; `runs[0]` is with nothing configured."""
    rows = [
        [
            f"{count:,}",
            ranged([start.seconds for start in found.starts]),
            ranged([start.resident / _MB for start in found.starts], 0),
            ranged(each(runs, count)) if count else "",
            ranged(found.look_ups, 2) if count else "",
        ]
        for count, found in runs.items()
    ]
    columns = ["numbers", "ready s", "RSS MB of all", "bytes a number", "µs a look-up"]
    most = max(runs)
    text = f"{most:,} numbers"
    claims = [
        Claim(f"{text}: ready after", [start.seconds for start in runs[most].starts],
              SECONDS_LIMIT, unit=" s"),
        Claim(f"{text}: memory of each", each(runs, most), BYTES_LIMIT, unit=" bytes"),
        Claim(f"{text}: a look-up", runs[most].look_ups, LOOK_UP_LIMIT, unit=" µs"),
    ]  # fmt: skip
    return Result(
        name="numbers",
        title="Configured numbers",
        tables=[Table("From an empty start", columns, rows)],
        claims=claims,
        notes=notes,
        data={str(count): asdict(found) for count, found in runs.items()},
    )


def each(runs: Mapping[int, Runs], count: int) -> list[float]:
    """Bytes a number, above routers with nothing configured, one a round."""
    idle = median([start.resident for start in runs[0].starts])
    return [(start.resident - idle) / count for start in runs[count].starts]


PARTS = {
    "numbers": Part(
        lambda testbed, rounds: measure(testbed, rounds=rounds),
        lambda testbed: measure(testbed, rounds=1, counts=QUICK_COUNTS, accounts=100),
        pinned=False,
    ),
}


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__)
    arguments.add_argument("--counts", help="of numbers, comma between")
    arguments.add_argument("--accounts", type=int, default=ACCOUNTS)
    arguments.add_argument("--routers", type=int, default=ROUTERS)
    arguments.add_argument("--look-ups", type=int, nargs=3, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.look_ups:
        print(json.dumps(look_ups(*asked.look_ups)))
        return
    counts: Sequence[int] = QUICK_COUNTS if asked.quick else COUNTS
    if asked.counts:
        counts = [int(each) for each in asked.counts.split(",")]
    run(
        lambda testbed: measure(
            testbed,
            rounds=rounds_of(asked),
            counts=counts,
            accounts=asked.accounts,
            routers=asked.routers,
        ),
        pinned=False,
    )


if __name__ == "__main__":
    main()

"""A steady load of calls onto `pca.calls`, as the gateway would write them.

    python -m bench.calls ACCOUNTS RATE SECONDS FIRST FILE

RATE calls a second at random times (Poisson). The first has the number FIRST, which is its sid and
comes along as the request's parameter `n`; with RATE 0 each account gets one, at once. Settings
come from the environment. Pairs of (n, microseconds since 1970 when it was produced), eight bytes
each, go to FILE at the end. It prints `ready` when it begins, and at the end how many there were,
and how late it was itself, p99 in microseconds.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

from bench.backlog import Calls, account
from bench.stats import quantile
from bench.writing import writing
from schemas.codec import Codec
from streaming import topics as kafka_topics
from streaming.settings import Settings, load


def times(rate: float, seconds: float, accounts: int, seed: int) -> Iterator[float]:
    """When calls are due, seconds from the start."""
    if not rate:
        yield from (0.0 for _ in range(accounts))
        return
    dice = random.Random(seed)
    at = 0.0
    while (at := at + dice.expovariate(rate)) < seconds:
        yield at


def produce(settings: Settings, accounts: int, rate: float, seconds: float, first: int, path: Path
            ) -> tuple[int, int]:  # fmt: skip
    """The load; how many calls, and p99 of how late it was, microseconds. Raises RuntimeError where
    Kafka does not take it."""
    topic = kafka_topics.topics(settings).calls
    header = Codec().header("CallCompleted", topic)
    calls = Calls()
    ids = [account(index) for index in range(accounts)]
    log, late, number = array("q"), array("q"), first
    with writing(settings) as send:
        gc.collect()
        gc.freeze()
        print("ready", flush=True)
        began = time.time()
        for at in times(rate, seconds, accounts, first):
            while (now := time.time()) < began + at:
                time.sleep(began + at - now)
            id_ = ids[number % accounts]
            send(topic, id_, header + calls.body(id_, number))
            log.append(number)
            log.append(int(now * 1e6))
            late.append(int((now - began - at) * 1e6))
            number += 1
    path.write_bytes(log.tobytes())
    return number - first, int(quantile(sorted(late), 0.99))


if __name__ == "__main__":
    _, one, two, three, four, five = sys.argv
    print(*produce(load(), int(one), float(two), float(three), int(four), Path(five)))

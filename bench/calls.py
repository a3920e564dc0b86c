"""A steady load of calls onto `pca.calls`.

    python -m bench.calls ACCOUNTS RATE SECONDS FIRST FILE

RATE calls a second at random times (Poisson), those of a millisecond together. The first has the
number FIRST, which is its sid and comes along as the request's parameter `n`; with RATE 0 each
account gets one, at once. Settings come from the environment. Pairs of (n, microseconds since 1970
when it was produced), eight bytes each, go to FILE at the end. It prints `ready` when it begins,
and at the end how many there were, and how late it was itself, p99 in microseconds.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.backlog import Calls, account
from bench.stats import quantile
from bench.writing import writing
from schemas.codec import Codec
from streaming import topics as kafka_topics
from streaming.settings import Settings, load

TURN = 0.001
"""Seconds from one turn to the next, at least. A load that produces calls one by one, thousands a
second, takes up a core that it shares with what is measured."""


def times(rate: float, seconds: float, accounts: int, seed: int) -> Iterator[float]:
    """When calls are due, seconds from the start."""
    if not rate:
        yield from (0.0 for _ in range(accounts))
        return
    dice = random.Random(seed)
    at = 0.0
    while (at := at + dice.expovariate(rate)) < seconds:
        yield at


def turns(
    times: Iterator[float], clock: Callable[[], float], sleep: Callable[[float], object]
) -> Iterator[tuple[float, list[float]]]:
    """When there is a turn, and how late each is that was due by then. Seconds from the start."""
    due = next(times, None)
    while due is not None:
        if (early := due - clock()) > 0:
            sleep(max(early, TURN))
        late: list[float] = []
        now = clock()
        while due is not None and due <= now:
            late.append(now - due)
            due = next(times, None)
        if late:
            yield now, late


def produce(settings: Settings, accounts: int, rate: float, seconds: float, first: int, path: Path
            ) -> tuple[int, int]:  # fmt: skip
    """The load; how many calls, and p99 of how late it was, microseconds. Raises RuntimeError where
    Kafka does not take it."""
    topic = kafka_topics.topics(settings).calls
    header = Codec().header("CallCompleted", topic)
    calls = Calls()
    ids = [account(index) for index in range(accounts)]
    log, late, number = array("q"), array("q"), first
    with writing(settings) as writer:
        gc.collect()
        gc.freeze()
        print("ready", flush=True)
        began = time.time()
        due = times(rate, seconds, accounts, first)
        for now, each in turns(due, lambda: time.time() - began, time.sleep):
            records = []
            for _ in each:
                id_ = ids[number % accounts]
                records.append((id_, header + calls.body(id_, number)))
                log.append(number)
                log.append(int((began + now) * 1e6))
                number += 1
            writer.send_all(topic, records)
            late.extend(int(behind * 1e6) for behind in each)
    path.write_bytes(log.tobytes())
    return number - first, int(quantile(sorted(late), 0.99))


if __name__ == "__main__":
    _, one, two, three, four, five = sys.argv
    print(*produce(load(), int(one), float(two), float(three), int(four), Path(five)))

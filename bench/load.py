"""A steady load of dispatches straight onto `pca.dispatch`, as a router would write them.

    python -m bench.load COUNT PORT RATE SECONDS SEED FILE

RATE dispatches a second, over all of COUNT endpoints (see `bench.endpoints`) at random times
(Poisson), the same ones for the same SEED. Dispatch k for endpoint i has the number
k * COUNT + i, which is its call's sid and comes along as the request's parameter `n`. Settings come
from the environment. Pairs of (n, `routed_at`), eight bytes each, go to FILE at the end. It
prints `ready` when it begins, and at the end how late it was itself, p99 in microseconds.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from array import array
from pathlib import Path

from bench.endpoints import address
from bench.render import TWELVE, call
from bench.writing import writing
from router.ids import dispatch_id
from schemas import binary
from schemas.codec import Codec
from schemas.configuration import Action, action_key
from schemas.dispatch import HEAD
from schemas.released import current
from streaming import topics as kafka_topics
from streaming.settings import Settings, load

ACTION = "crm"
_CALL = current("CallCompleted")


class Endpoint:
    """One account with one action, whose dispatches are made here."""

    def __init__(self, index: int, port: int) -> None:
        self.account = f"account-{index}"
        self.key = action_key(self.account, ACTION)
        placeholders = [name for name in TWELVE if name != "sid"]
        action = Action.model_validate(
            {
                "name": "CRM",
                "scope": "all_calls",
                "target_url": f"http://{address(index)}:{port}/handler.php?client_id=1234",
                "parameters": [
                    {"name": "n", "placeholder": "sid"},
                    *({"name": f"p_{name}", "placeholder": name} for name in placeholders),
                ],
            }
        )
        self._action = current("Action").encode(action.to_avro(ACTION, 1))
        self._call = call(index) | {"account_id": self.account}

    def dispatch(self, number: int, routed_at: int) -> bytes:
        """A Dispatch without its header."""
        sid = str(number)
        self._call["sid"] = sid
        called = _CALL.encode(self._call)
        head = {
            "dispatch_id": dispatch_id(self.account, sid, 0, ACTION),
            "account_id": self.account,
            "action_id": ACTION,
            "sid": sid,
            "config_version": 1,
            "action_version": 1,
            "routed_at": routed_at,
            "call_bytes": len(called),
        }
        return binary.write(HEAD, head) + called + self._action


def produce(settings: Settings, count: int, port: int, rate: float, seconds: float, seed: int,
            path: Path) -> int:  # fmt: skip
    """The load; p99 of how late it was, microseconds. Raises RuntimeError where Kafka does not take
    it."""
    topic = kafka_topics.topics(settings).dispatch
    header = Codec().header("Dispatch", topic)
    endpoints = [Endpoint(index, port) for index in range(count)]
    dice = random.Random(seed)
    log, late, number = array("q"), array("q"), seed * 1_000_000 * count
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    with writing(settings) as writer:
        began = due = time.time()
        while due < began + seconds:
            while (now := time.time()) < due:
                time.sleep(due - now)
            index = dice.randrange(count)
            routed_at = int(now * 1e6)
            body = endpoints[index].dispatch(number + index, routed_at)
            writer.send(topic, endpoints[index].key, header + body)
            log.append(number + index)
            log.append(routed_at)
            late.append(routed_at - int(due * 1e6))
            number += count
            due += dice.expovariate(rate)
    path.write_bytes(log.tobytes())
    return sorted(late)[len(late) * 99 // 100]


if __name__ == "__main__":
    _, one, two, three, four, five, six = sys.argv
    given = int(one), int(two), float(three), float(four), int(five), Path(six)
    print(produce(load(), *given))

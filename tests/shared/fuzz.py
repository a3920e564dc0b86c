"""The fuzzer: mutated answers to real transports, over sockets, many at once.

    python tests/shared/fuzz.py [--seed 7] [--first 0] [--count 100000] [--loop uvloop]
    python tests/shared/fuzz.py --seed 7 --case 4711        # one case, and what is made of it

Every case goes to every transport. Each worker has an origin of its own for each, asks it for the
mutated answer, waits until all of that is written, and then asks for a good one, tagged: whatever
the mutated answer left behind must not be taken for it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import get_args

from agreement import Agreement, agreement, explained, rewritten
from mutations import Case, case
from origins import OriginServer
from transports import (
    LOOPS,
    MAKERS,
    Meter,
    Pulse,
    Stopwatch,
    connected_to,
    run,
    tasks,
    transport,
    turns,
    until,
)

from dispatcher.outcome import Error
from dispatcher.request import Request
from dispatcher.transport import KEPT_BODY, Answer, TransportError

DEADLINE = 0.5
"""Seconds."""
CAREFULLY = 2.0
"""Seconds, for a case that is looked at again alone."""
SLACK = 0.2
"""Seconds by which a deadline may be noticed late, not counting how late the loop itself is."""
CAP = 8192
PART = 262_144
WORKERS = 24
"""Cases at once."""
ROUND = 5000
"""Cases between two looks at what is left."""
GROWTH = 32_000_000
"""Bytes of memory that a long run may take more than its first round did."""

ORACLES = frozenset({"reference"})
"""Asked only what they make of an answer. The reference does not keep the invariants: it takes what
is left on a kept connection for the next answer, or waits for the rest of it for ever."""

End = Answer | TransportError


@dataclass
class Report:
    """What came out of it."""

    ends: dict[str, Counter[str]] = field(default_factory=lambda: {n: Counter() for n in MAKERS})
    """Transport → status or class of error → how often."""
    agreements: Counter[str] = field(default_factory=Counter)
    """How the transports agree or differ → how often."""
    examples: dict[str, list[int]] = field(default_factory=dict)
    """Numbers of some cases of each."""
    broken: list[str] = field(default_factory=list)
    """Invariants that did not hold, and differences without a reason; empty when all is well."""

    def note(self, one: Case, found: Agreement) -> None:
        """How the transports agree on a case."""
        self.agreements[found.what] += 1
        examples = self.examples.setdefault(found.what, [])
        if len(examples) < 5:
            examples.append(one.number)
        if not found.accepted:
            self.broken.append(f"case {one.number}: {found.what}")

    def lines(self) -> list[str]:
        """For people."""
        told = []
        for name, ends in self.ends.items():
            told.append(f"{name}: " + ", ".join(f"{n:,} {end}" for end, n in ends.most_common(12)))
        for what, n in self.agreements.most_common():
            told.append(f"{n:>8,}  {what} (as case {', '.join(map(str, self.examples[what]))})")
        return told + [f"BROKEN {what}" for what in self.broken[:50]]


class Fuzzer:
    """Sends cases to transports of its own and looks at what is left."""

    def __init__(
        self,
        report: Report,
        deadline: float,
        pulse: Pulse,
        oracles: Collection[str] = ORACLES,
    ) -> None:
        """`deadline` in seconds. What is broken goes into the report."""
        self._oracles = oracles
        self._report = report
        self._pulse = pulse
        self._deadline = deadline
        self._meter = Meter(asyncio.get_running_loop())
        self._transports = {name: transport(name, deadline, CAP) for name in MAKERS}
        self._servers: list[OriginServer] = []
        self._tasks = tasks()

    async def origins(self) -> dict[str, OriginServer]:
        """New ones, one for each transport."""
        made = {name: await OriginServer().start() for name in MAKERS}
        self._servers += made.values()
        return made

    async def play(self, one: Case, origins: dict[str, OriginServer]) -> dict[str, End]:
        """One case with every transport: how it ends."""
        ends = {}
        for name, server in origins.items():
            server.case = one
            where = f"case {one.number}, {name}"
            if name in self._oracles:
                ends[name] = await self._send(name, server, "mutated", one.method)
                server.hang_up()
                continue
            ends[name] = await self._mutated(where, one, name, server)
            await server.written.wait()
            await turns(4)
            await self._good(where, one, name, server)
        return ends

    async def _mutated(self, where: str, one: Case, name: str, server: OriginServer) -> End:
        self._meter.received[server.port] = 0
        watch = Stopwatch(self._pulse, self._deadline)
        end = await self._send(name, server, "mutated", one.method)
        overrun, read = watch.overrun(), self._meter.received[server.port]
        if overrun > SLACK:
            self._break(where, f"ended {overrun:.3f} s after the deadline")
        if read > CAP + PART:
            self._break(where, f"{read:,} bytes were read")
        if isinstance(end, TransportError):
            if end.error not in get_args(Error) or not str(end):
                self._break(where, f"an error of no class: {end.error!r} {end}")
        elif not sound(end):
            self._break(where, f"an answer that is none: {end}")
        return end

    async def _good(self, where: str, one: Case, name: str, server: OriginServer) -> None:
        tag = f"good-{one.number}"
        for _ in range(4):
            end = await self._send(name, server, tag, one.method)
            if isinstance(end, Answer) or end.error != "timeout":
                break  # else: a busy machine may need longer
        if isinstance(end, TransportError):
            self._break(where, f"the next request ended with {end.error}: {end}")
        elif end.body != tag.encode():
            self._break(where, f"the next request was answered {end.status} {end.body[:50]!r}")

    async def _send(self, name: str, server: OriginServer, tag: str, method: str) -> End:
        url, body = f"http://127.0.0.1:{server.port}/", b"a=1" if method == "POST" else None
        asked = Request(method, url, {"webhook-id": tag}, body)
        try:
            async with asyncio.timeout(self._deadline + 10):
                return await self._transports[name].send(asked)
        except TransportError as error:
            return error

    def _break(self, where: str, what: str) -> None:
        self._report.broken.append(f"{where}: {what}")

    async def close(self, where: str) -> None:
        """End the servers, then the transports; nothing may be left of either."""
        ports = [server.port for server in self._servers]
        if not await until(lambda: connected_to(*ports) <= len(ports)):
            self._break(where, f"{connected_to(*ports)} sockets for {len(ports)} origins")
        if not await until(lambda: tasks() <= self._tasks):
            self._break(where, f"tasks are left: {tasks() - self._tasks}")
        for server in self._servers:
            await server.stop()
        if not await until(lambda: not connected_to(*ports)):
            self._break(where, f"{connected_to(*ports)} sockets outlive their servers")
        for one in self._transports.values():
            await one.close()
        if not await until(lambda: tasks() <= self._tasks):
            self._break(where, f"tasks outlive their transport: {tasks() - self._tasks}")


def sound(answer: Answer) -> bool:
    """Whether an answer is as the port promises."""
    texts = [text for pair in answer.headers.items() for text in pair]
    return (
        200 <= answer.status <= 999
        and len(answer.body) <= KEPT_BODY
        and all(type(text) is str for text in texts)
    )


def shown(end: End) -> str:
    """A status or a class of error."""
    return str(end.status) if isinstance(end, Answer) else end.error


async def fuzz(seed: int, first: int, count: int, report: Report, workers: int = WORKERS) -> None:
    """So many cases, from the first number on, several at once. To be run on a loop of its own."""
    suspects: list[Case] = []
    numbers = iter(range(first, first + count))
    with Pulse() as pulse:
        fuzzer = Fuzzer(report, DEADLINE, pulse)

        async def work(origins: dict[str, OriginServer]) -> None:
            for number in numbers:
                one = case(seed, number)
                ends = await fuzzer.play(one, origins)
                for name, end in ends.items():
                    report.ends[name][shown(end)] += 1
                found = await judged(fuzzer, one, ends, origins)
                if found.accepted:
                    report.note(one, found)
                else:
                    suspects.append(one)

        await asyncio.gather(*[work(await fuzzer.origins()) for _ in range(workers)])
        await fuzzer.close(f"after case {first + count}")
    for one in suspects:
        _, found = await alone(one, report)
        report.note(one, found)


async def judged(
    fuzzer: Fuzzer, one: Case, ends: dict[str, End], origins: dict[str, OriginServer]
) -> Agreement:
    """How the transports agree; where only ours takes an answer, whether there is a reason."""
    found, native = agreement(one.answer, **ends), ends["native"]
    if found.accepted or isinstance(native, TransportError):
        return found
    for reason, answer in rewritten(one.answer):
        again = await fuzzer.play(replace(one, pieces=(answer,)), origins)
        if because := explained(reason, native, **again):
            return because
    return found


async def alone(one: Case, report: Report) -> tuple[dict[str, End], Agreement]:
    """One case, with all the time that it may need on a busy machine."""
    with Pulse() as pulse:
        fuzzer = Fuzzer(report, CAREFULLY, pulse)
        origins = await fuzzer.origins()
        ends = await fuzzer.play(one, origins)
        found = await judged(fuzzer, one, ends, origins)
        await fuzzer.close(f"case {one.number} alone")
    return ends, found


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def long(seed: int, first: int, count: int, loop: str, tell: Callable[[str], None]) -> Report:
    """Very many cases in rounds, each on a new event loop; tells how it goes."""
    report, began, memory = Report(), time.monotonic(), 0
    for start in range(first, first + count, ROUND):
        size = min(ROUND, first + count - start)
        run(loop, fuzz(seed, start, size, report))
        memory = memory or resident()
        done, seconds = start + size - first, time.monotonic() - began
        tell(f"{done:,} of {count:,}: {done / seconds:,.0f} a second, {len(report.broken)} broken")
    grown = resident() - memory
    tell(f"seed {seed}, {loop}; memory grew by {grown / 1e6:.1f} MB from the first round on")
    if grown > GROWTH:
        report.broken.append(f"memory grew by {grown:,} bytes")
    return report


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--loop", choices=LOOPS, default="uvloop")
    parser.add_argument("--case", type=int, help="only this one; shows it")
    given = parser.parse_args()
    if given.case is None:
        report = long(given.seed, given.first, given.count, given.loop, partial(print, flush=True))
    else:
        report, one = Report(), case(given.seed, given.case)
        print(one)

        async def show() -> None:
            ends, found = await alone(one, report)
            print(*(f"{name}: {end!r}" for name, end in ends.items()), sep="\n")
            report.note(one, found)

        run(given.loop, show())
    print(*report.lines(), sep="\n")
    sys.exit(bool(report.broken))


if __name__ == "__main__":
    main()

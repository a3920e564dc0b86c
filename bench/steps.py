"""What each step of a delivery costs, in one process, without Kafka and without a network.

    python -m bench.steps [--rounds 9] [--count 4000] [--quick]

The same dispatches as `bench.delivery` has: read, given their turn, made into requests and heads,
answered, judged, and told of in an attempt. It is where to look after a change of what is hot, and
runs in seconds; what system calls, Kafka's client and the event loop cost stands in
`bench.delivery`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence

from bench.backlog import Dispatches, Target
from bench.command import parser, rounds_of, run
from bench.part import Part
from bench.report import Result, Table
from bench.stats import ranged
from bench.testbed import Testbed
from dispatcher.attempts import Try, attempt
from dispatcher.breaker import Rules
from dispatcher.flight import Flight, FlightReader
from dispatcher.request import OutlinedRequest
from dispatcher.schedule import Schedule
from dispatcher.traffic import Traffic
from dispatcher.transport.answer import Answer, Trace
from dispatcher.transport.head import outlined_head
from dispatcher.transport.origin import Origins
from dispatcher.transport.reader import AnswerReader
from schemas.codec import Codec
from streaming.offsets import OffsetTracker

COUNT, QUICK_COUNT, ROUNDS = 4000, 200, 9
_IN_FLIGHT, _ENDPOINTS = 50, 50
_NOW = 1_782_914_602_999_999
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: Thu, 02 Jul 2026 14:03:22 GMT\r\n\r\nok"

STEPS = ("read", "turn", "request", "head", "answer", "judge", "attempt")


class Steps:
    """So many dispatches, taken through all steps in every `round`."""

    def __init__(self, count: int) -> None:
        codec = Codec()
        header = codec.header("Dispatch", "pca.dispatch")
        dispatches = Dispatches(Target(_ENDPOINTS, 9000))
        self._values = [header + dispatches.body(n, _NOW)[1] for n in range(count)]
        self._reader = FlightReader(codec, "http://localhost")
        self._traffic: Traffic[Flight] = Traffic(
            Schedule((("5s", 5.0),)), Rules(), 2 * _IN_FLIGHT, _IN_FLIGHT
        )
        self._origins = Origins()
        self._answers = AnswerReader(65_536, time.monotonic)
        self._attempt_header = codec.header("Attempt", "pca.attempts")

    def round(self) -> dict[str, float]:
        """Microseconds a dispatch, by step."""
        clock = time.process_time
        spent = dict.fromkeys(STEPS, 0.0)
        tracker = OffsetTracker("pca.dispatch", 0)
        for start in range(0, len(self._values), _IN_FLIGHT):
            values = self._values[start : start + _IN_FLIGHT]
            marks = [clock()]
            flights = [self._reader.read(tracker, n, value) for n, value in enumerate(values)]
            marks.append(clock())
            self._traffic.arrive(flights, _NOW)
            started = list(iter(lambda: self._traffic.next(_NOW), None))
            marks.append(clock())
            requests = [flight.request(_NOW) for flight in started]
            marks.append(clock())
            for request in requests:
                assert isinstance(request, OutlinedRequest)
                outlined_head(request, self._origins.place(request.outline))
            marks.append(clock())
            answers = [self._answered() for _ in requests]
            marks.append(clock())
            endings = [self._traffic.ended(flight, 200, "", "", _NOW) for flight in started]
            marks.append(clock())
            for flight, request, answer, ending in zip(
                started, requests, answers, endings, strict=True
            ):
                one = Try(flight, _NOW, 900, request, answer, answer.trace, "", "",
                          ending.outcome, "")  # fmt: skip
                attempt(one, self._attempt_header)
            marks.append(clock())
            for step, began, ended in zip(STEPS, marks[:-1], marks[1:], strict=True):
                spent[step] += ended - began
        return {step: seconds / len(self._values) * 1e6 for step, seconds in spent.items()}

    def _answered(self) -> Answer:
        reader = self._answers
        reader.begin(head_only=False)
        assert reader.feed(_ANSWER)
        status, headers, body = reader.take()
        return Answer(status, headers, body, Trace("127.0.0.1:9000"), reader.known)


Rounds = Sequence[Mapping[str, float]]
"""Microseconds a dispatch, by step."""


def measure(testbed: Testbed, *, rounds: int, count: int = COUNT) -> Result:
    """All steps in every round, in this process."""
    steps = Steps(count)
    gc.disable()
    try:
        with testbed.cores.for_the_stage():
            steps.round()  # warms caches up
            found = [steps.round() for _ in range(rounds)]
    finally:
        gc.enable()
    return result(found, [f"{count:,} dispatches; {rounds} rounds, medians (ranges).",
                          testbed.pinning()])  # fmt: skip


def result(found: Rounds, notes: list[str]) -> Result:
    """A table of what was measured."""
    rows = [[step, ranged([each[step] for each in found], 2)] for step in STEPS]
    rows.append(["all", ranged([sum(each.values()) for each in found], 2)])
    return Result(
        name="steps",
        title="The steps of a delivery",
        tables=[Table("CPU of each", ["", "µs a delivery"], rows)],
        notes=notes,
        data={step: [each[step] for each in found] for step in STEPS},
    )


PARTS = {
    "steps": Part(
        lambda testbed, rounds: measure(testbed, rounds=max(rounds, ROUNDS)),
        lambda testbed: measure(testbed, rounds=1, count=QUICK_COUNT),
    ),
}


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__)
    arguments.add_argument("--count", type=int, help="dispatches")
    asked = arguments.parse_args()
    count = asked.count or (QUICK_COUNT if asked.quick else COUNT)
    rounds = rounds_of(asked) if asked.quick else max(rounds_of(asked), ROUNDS)
    run(lambda testbed: measure(testbed, rounds=rounds, count=count))


if __name__ == "__main__":
    main()

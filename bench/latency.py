"""From call produced to request received: how long, at which rate, beside the Go pair.

    python -m bench.latency [--rounds 5] [--rate 200] [--half RATE] [--pinned] [--quick]

A router and a dispatcher at a time: our pair and the one written in Go, in alternating sessions. In
each session calls are produced at random times (Poisson) at several rates: at a given one, at half
of the highest that our pair keeps up with (looked for first, where it is not given), and at
shares of that highest for the curve of latency against load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from bench.command import parser, rounds_of, run
from bench.part import Part
from bench.pipeline import KEPT_UP_P90, Latency, Load, Pair, Pipeline, Session, latency
from bench.report import Claim, Result, Table, out
from bench.stats import ranged, ratios, rotated
from bench.subjects import GO, GO_ROUTER, OUR_ROUTER, OURS, SubjectFailed, available
from bench.testbed import Testbed, or_leave_out

SECONDS, WARM_UP, QUICK_SECONDS, QUICK_WARM_UP = 20.0, 3.0, 4.0, 1.0
RATE, QUICK_HALF = 200.0, 300.0
CURVE = (0.1, 0.25, 0.75, 0.9)
"""Of the highest rate; half of it is measured anyway."""
P50_LIMIT, P99_LIMIT, HALF_P99_LIMIT, GO_LIMIT = 3.0, 10.0, 25.0, 1.2
"""Milliseconds; and our p99 in times of Go's."""
_FIRST_RATE, _UP, _UP_SECONDS = 400.0, 1.5, 4.0
_DOWN, _TRIES, _TIMES = 0.9, 12, 3

OUR_PAIR = Pair("ours", OUR_ROUTER, OURS)
GO_PAIR = Pair("Go", GO_ROUTER, GO)

Runs = Mapping[str, Mapping[float, Sequence[Latency]]]
"""By pair and rate, one a round."""


def highest(keeps_up: Callable[[float, float], bool], seconds: float) -> float:
    """The highest rate, calls a second, that is kept up with for so many seconds, to a tenth.

    It is passed in steps that are short, and looked for below in long ones: a queue that grows
    slowly hardly shows in a few seconds. Three of these in a row have to be kept up with: once is
    a lucky moment of a shared machine. `keeps_up` is asked with a rate and seconds. Raises
    `SubjectFailed` where no rate is found.
    """
    rate = _FIRST_RATE
    while keeps_up(rate, _UP_SECONDS):
        rate *= _UP
    for _ in range(_TRIES):
        rate *= _DOWN
        if all(keeps_up(rate, seconds) for _ in range(_TIMES)):
            return rate
    raise SubjectFailed(f"{OUR_PAIR.name}: does not keep up with {rate:,.0f} calls a second.")


def _highest_of_ours(pipeline: Pipeline, seconds: float, warm_up: float) -> float:
    def keeps_up(rate: float, seconds: float) -> bool:
        """Whether a pair that has nothing left of an earlier load keeps up with this one."""
        found = _session(pipeline, OUR_PAIR, [rate], seconds, min(warm_up, seconds / 4))[0]
        out.print(
            f"{rate:,.0f}/s for {seconds:g} s: p90 {found.p90:.2f} ms, {found.missing} missing"
        )
        return found.kept_up

    return highest(keeps_up, seconds)


def measure(
    testbed: Testbed,
    *,
    rounds: int,
    seconds: float = SECONDS,
    warm_up: float = WARM_UP,
    rate: float = RATE,
    half: float | None = None,
    curve: Sequence[float] = CURVE,
) -> Result:
    """All rates in every session, a session of each pair in every round."""
    pipeline = Pipeline(testbed)
    found, notes = available((GO_ROUTER, GO), out.print)
    pairs = [OUR_PAIR, GO_PAIR] if len(found) == 2 else [OUR_PAIR]
    half = half or _highest_of_ours(pipeline, seconds, warm_up) / 2
    rates = sorted({rate, half, *(2 * half * share for share in curve)})
    runs: dict[str, dict[float, list[Latency]]] = {
        pair.name: {each: [] for each in rates} for pair in pairs
    }
    for number in range(rounds):
        for pair in rotated(pairs, number):
            try:
                measured = _session(pipeline, pair, rates, seconds, warm_up)
            except SubjectFailed as failure:
                notes.append(or_leave_out(failure, pair is OUR_PAIR))
                pairs = [one for one in pairs if one is not pair]
                continue
            for each in measured:
                runs[pair.name][each.rate].append(each)
                out.print(f"round {number + 1}, {pair.name}, {each.rate:,.0f}/s:"
                          f" p50 {each.p50:.2f} ms, p99 {each.p99:.2f}")  # fmt: skip
    notes = [
        f"{seconds:g} s at each rate after {warm_up:g} s of warm-up, Poisson arrivals,"
        f" 100 accounts; {rounds} rounds, medians (ranges).",
        f"The highest load is the highest rate that ours keeps up with so long, {_TIMES} times in a"
        f" row: all requests come, nine of ten within {KEPT_UP_P90:g} ms.",
        testbed.pinning(),
        *notes,
    ]
    return result(runs, rate, half, notes)


def _session(
    pipeline: Pipeline, pair: Pair, rates: Sequence[float], seconds: float, warm_up: float
) -> list[Latency]:
    loads: list[Load] = []
    with Session(pipeline, pair) as session:
        session.load(rates[0], warm_up)  # the first rate is to find processes as warm as the others
        for each in rates:
            loads.append(session.load(each, warm_up + seconds))
            if not loads[-1].drained:  # a higher one would find its calls still waiting
                break
        first = session.received()
    return [latency(load, first, warm_up) for load in loads]


def result(runs: Runs, rate: float, half: float, notes: list[str]) -> Result:
    """Tables and claims from what was measured."""
    rows = [
        _row(name, each, found)
        for each in runs[OUR_PAIR.name]
        for name, by_rate in runs.items()
        if (found := by_rate[each])
    ]
    columns = ["", "calls/s", "p50 ms", "p90", "p99", "p99.9", "calls", "missing",
               "load late p99 ms"]  # fmt: skip
    return Result(
        name="latency",
        title="From call produced to request received",
        tables=[Table(f"Latency against load; {half:,.0f}/s is half", columns, rows)],
        claims=claims(runs, rate, half),
        notes=notes,
        data={
            "rate": rate,
            "half": half,
            "runs": {
                name: {f"{each:.0f}": [asdict(run) for run in found] for each, found in by.items()}
                for name, by in runs.items()
            },
        },
    )


def _row(name: str, rate: float, found: Sequence[Latency]) -> list[str]:
    return [
        name,
        f"{rate:,.0f}",
        *(ranged([getattr(run, each) for run in found], 2) for each in ("p50", "p90", "p99")),
        ranged([run.p999 for run in found], 1),
        f"{sum(run.calls for run in found):,}",
        f"{sum(run.missing for run in found):,}",
        ranged([run.late for run in found], 1),
    ]


def claims(runs: Runs, rate: float, half: float) -> list[Claim]:
    """What it must show."""
    ours, go = runs[OUR_PAIR.name], runs.get(GO_PAIR.name, {})
    made = [
        Claim(f"p50 at {rate:,.0f} calls/s", [one.p50 for one in ours[rate]], P50_LIMIT,
              unit=" ms"),
        Claim(f"p99 at {rate:,.0f} calls/s", [one.p99 for one in ours[rate]], P99_LIMIT,
              unit=" ms"),
        Claim(f"p99 at half of the highest load, {half:,.0f} calls/s",
              [one.p99 for one in ours[half]], HALF_P99_LIMIT, unit=" ms"),
    ]  # fmt: skip
    for each in sorted({rate, half}):
        beside = ratios([one.p99 for one in ours[each]], [one.p99 for one in go.get(each, ())])
        if beside:
            made.append(Claim(f"p99 at {each:,.0f} calls/s, ours in times of Go", beside, GO_LIMIT))
    return made


PARTS = {
    "latency": Part(
        lambda testbed, rounds: measure(testbed, rounds=rounds),
        lambda testbed: measure(
            testbed,
            rounds=1,
            seconds=QUICK_SECONDS,
            warm_up=QUICK_WARM_UP,
            half=QUICK_HALF,
            curve=(),
        ),
        pinned=False,
    ),
}


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__)
    arguments.add_argument("--rate", type=float, default=RATE, help="calls a second")
    arguments.add_argument("--half", type=float, help="of the highest rate; looked for if unset")
    pinned = "router and dispatcher on the last core, all else on the others"
    arguments.add_argument("--pinned", action="store_true", help=pinned)
    asked = arguments.parse_args()
    run(
        lambda testbed: measure(
            testbed,
            rounds=rounds_of(asked),
            seconds=QUICK_SECONDS if asked.quick else SECONDS,
            warm_up=QUICK_WARM_UP if asked.quick else WARM_UP,
            rate=asked.rate,
            half=asked.half or (QUICK_HALF if asked.quick else None),
            curve=() if asked.quick else CURVE,
        ),
        pinned=asked.pinned,
    )


if __name__ == "__main__":
    main()

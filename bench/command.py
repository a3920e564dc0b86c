"""The command line that measurements have in common, and how one of them is run alone."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from bench.part import Part
from bench.report import Result, show
from bench.testbed import Testbed
from console.interruption import interruptible


def parser(description: str | None, *, rounds: bool = True) -> argparse.ArgumentParser:
    """With `--quick`, and with `--rounds` where something is compared."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    if rounds:
        made.add_argument("--rounds", type=int, help="5; 1 with --quick")
    made.add_argument("--quick", action="store_true", help="a smoke run: its figures say nothing")
    return made


def rounds_of(asked: argparse.Namespace) -> int:
    """How many."""
    return int(asked.rounds or (1 if asked.quick else 5))


def run(measure: Callable[[Testbed], Result], *, pinned: bool = True) -> None:
    """Measure on a testbed, and print."""
    with interruptible(), Testbed(pinned=pinned) as testbed:
        show(measure(testbed))


def run_part(part: Part, asked: argparse.Namespace) -> None:
    """In full, or quick where that was asked for."""
    if asked.quick:
        run(part.quick, pinned=part.pinned)
    else:
        run(lambda testbed: part.full(testbed, rounds_of(asked)), pinned=part.pinned)

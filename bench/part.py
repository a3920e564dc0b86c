"""A part of all that `make bench` measures, in full and as a smoke run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.report import Result
from bench.testbed import Testbed


@dataclass(frozen=True, slots=True)
class Part:
    """What it does, given a testbed and how many rounds."""

    full: Callable[[Testbed, int], Result]
    quick: Callable[[Testbed], Result]
    """In a minute or so; whether it works, and nothing about speed."""
    pinned: bool = True
    """Whether what is measured has a core to itself; not where several such processes run."""

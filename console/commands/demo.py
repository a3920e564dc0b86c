"""`pca demo`."""

from __future__ import annotations

import typer
from rich.console import Console

from console.demo.run import demo as run


def demo() -> None:
    """Run everything for real in a temporary folder, make 321 calls, and check every request.

    Needs Java 17 or later and Maven. Exit code 0 only when exactly the right requests arrived.
    """
    raise typer.Exit(run(Console()))

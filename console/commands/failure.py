"""How a command of `pca` fails: one clear sentence on stderr, exit 1, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from streaming.settings import SettingsError
from streaming.topics import TopicError


class Failure(Exception):
    """What the person at the terminal should know."""


@contextmanager
def reported() -> Iterator[None]:
    """End the command when something inside fails in a way that has a sentence for it."""
    try:
        yield
    except (Failure, SettingsError, TopicError) as error:
        typer.secho(f"pca: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from error

"""`pca topics`."""

from __future__ import annotations

import typer

from console.commands.failure import reported
from streaming.settings import load
from streaming.topics import ensure

topics = typer.Typer(help="The topics in Kafka.", no_args_is_help=True)


@topics.callback()
def _topics() -> None:
    """The topics in Kafka."""


@topics.command()
def create() -> None:
    """Create the topics that are missing, and check those that are there."""
    with reported():
        for topic in ensure(load()).all.values():
            kept = "compacted" if topic.retention is None else f"{topic.retention / 86_400:g} days"
            typer.echo(f"{topic.name}: {topic.partitions} partitions, {kept}")

"""The `pca` command."""

from __future__ import annotations

import logging

import typer

from console.commands.configuration import apply, config, export, plan
from console.commands.demo import demo
from console.commands.replay import replay
from console.commands.topics import topics
from console.commands.up import up
from deploy.kafka.cli import app as kafka
from producer.emit import emit

app = typer.Typer(
    name="pca",
    help="A finished phone call becomes the HTTP requests that its account asked for.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(demo)
app.command()(plan)
app.command()(apply)
app.command()(export)
app.command()(emit)
app.command()(replay)
app.add_typer(config, name="config")
app.add_typer(topics, name="topics")
app.add_typer(kafka, name="kafka")


def main() -> None:
    """The entry point: everything that may go wrong is one sentence on stderr."""
    # What a command has to say it prints; librdkafka's complaints would repeat it.
    logging.basicConfig(level=logging.CRITICAL)
    app()

"""`pca kafka start|stop|status`: the local broker from the command line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.errors import DeployError
from deploy.kafka.broker import BrokerStatus, LocalKafka

NOT_RUNNING = 3

app = typer.Typer(
    name="kafka",
    help="Run a local Apache Kafka: one broker on 127.0.0.1.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def default_data() -> Path:
    """Return where the broker keeps its data unless told: PCA_DATA_DIR/kafka or data/kafka."""
    return Path(os.environ.get("PCA_DATA_DIR") or "data") / "kafka"


Data = Annotated[
    Path,
    typer.Option(
        "--data",
        default_factory=default_data,
        file_okay=False,
        help="Folder for everything the broker keeps.",
        show_default="$PCA_DATA_DIR/kafka, or data/kafka",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Port to listen on; else the last one, or a free one."),
]


@app.command()
def start(data: Data, port: Port = None) -> None:
    """Start the broker, downloading it the first time (54 MB), and print its address."""
    console = Console(stderr=True)
    with _plain_errors():
        kafka = LocalKafka(data, port)
        if console.is_terminal:
            with console.status("Kafka") as line:
                started = kafka.start(report=lambda text: line.update(f"Kafka: {text}"))
        else:
            started = kafka.start(report=lambda text: typer.echo(f"Kafka: {text}", err=True))
        if not started:
            typer.echo("Kafka is already running.")
        _print(kafka.status())


@app.command()
def stop(data: Data) -> None:
    """Stop the broker; its data stays."""
    with _plain_errors():
        kafka = LocalKafka(data)
        was_running = kafka.status().running
        kafka.stop()
    typer.echo("Kafka has stopped." if was_running else "Kafka was not running.")


@app.command()
def status(data: Data) -> None:
    """Say whether the broker runs, and where; exit code 0 when it does, 3 when it does not."""
    with _plain_errors():
        known = LocalKafka(data).status()
    typer.echo("Kafka is running." if known.running else "Kafka is not running.")
    _print(known)
    if not known.running:
        raise typer.Exit(NOT_RUNNING)


def _print(known: BrokerStatus) -> None:
    typer.echo(f"bootstrap  {known.bootstrap or '(settled by the first start)'}")
    if known.pid is not None:
        typer.echo(f"pid        {known.pid}")
    typer.echo(f"data       {known.data}")
    typer.echo(f"log        {known.log}")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn what people can do something about into a sentence and exit code 1."""
    try:
        yield
    except (DeployError, OSError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error

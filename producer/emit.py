"""`pca emit FILE|-`: calls as NDJSON to the gateway."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import httpx
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from producer.emitter import Emitter, Stopped, batches
from streaming.settings import SettingsError, load

STDIN = "-"
INTERRUPTED = 130


def emit(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="NDJSON: a call a line; - is stdin")
    ],
    url: Annotated[str | None, typer.Option(help="The gateway; else PCA_PRODUCER_URL.")] = None,
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Calls a request.")] = 500,
    key: Annotated[str | None, typer.Option(help="The bearer key; else PCA_API_KEY.")] = None,
) -> None:
    """Send finished calls to the gateway. Sending some twice is safe."""
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        settings = load()
        key = key or settings.api_key or settings.required_admin_key()
        with (
            _opened(file) as source,
            httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=60.0) as client,
        ):
            emitter = Emitter(client, url or settings.producer_url, file, console.print)
            _send_all(source, file, batch, emitter, console)
    except (OSError, SettingsError) as error:
        console.print(str(error))
        raise typer.Exit(2) from error


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == STDIN else Path(file).open("rb")


def _send_all(source: BinaryIO, file: str, size: int, emitter: Emitter, console: Console) -> None:
    """Send every call and say how it went. Raises `typer.Exit` when not all were accepted."""
    started = time.monotonic()
    try:
        with _progress(file, console) as progress:
            for lines in batches(source, size):
                emitter.send(lines)
                progress.advance(progress.task_ids[0], len(lines) if file == STDIN else lines.size)
    except KeyboardInterrupt as interrupt:
        console.print(f"Interrupted. {emitter.accepted:,} calls were accepted.")
        raise typer.Exit(INTERRUPTED) from interrupt
    except Stopped as why:
        for fault in why.faults:
            console.print(fault)
        console.print(
            f"{str(why).removesuffix('.')}. {emitter.accepted:,} calls were accepted before."
        )
        raise typer.Exit(1) from why
    seconds = time.monotonic() - started
    rate = emitter.accepted / seconds if seconds else 0.0
    console.print(f"{emitter.accepted:,} calls in {seconds:.1f} s, {rate:,.0f} a second")


def _progress(file: str, console: Console) -> Progress:
    """Bytes of a file, or the count of calls from stdin; nothing where nobody watches."""
    hidden = not console.is_terminal
    if file == STDIN:
        count = TextColumn("{task.completed:,.0f} calls")
        progress = Progress(SpinnerColumn(), count, console=console, disable=hidden)
        progress.add_task(file, total=None)
    else:
        columns = BarColumn(), DownloadColumn(), TimeRemainingColumn()
        progress = Progress(*columns, console=console, disable=hidden)
        progress.add_task(file, total=Path(file).stat().st_size)
    return progress

"""`pca replay`: what ended in `pca.dead`, sent again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, get_args

import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from console.commands.failure import Failure, reported
from console.replay import Found, Replayed, Row, Wanted, find, send, summary
from console.replay import Progress as Tell
from dispatcher.outcome import Error
from schemas.codec import RegistryUnavailable
from streaming.settings import Settings, load

UNUSABLE = 2
INTERRUPTED = 130
ERRORS = tuple(error for error in get_args(Error) if error)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EXAMPLE = "2026-11-22T00:00:00"
_PAUSED = (
    "What belongs to an action that is still paused ends in pca.dead again, as paused: nothing is"
    " lost. An action is resumed by the first call after `pca config resume` or a saved change."
)

Account = Annotated[str | None, typer.Option(help="Of this account.")]
Action = Annotated[str | None, typer.Option(help="Of this action's id, with --account.")]
Errors = Annotated[
    list[str] | None,
    typer.Option("--error", help="Ended by this class, e.g. paused; may be given more than once."),
]
Sid = Annotated[str | None, typer.Option(help="Of the call with this sid.")]
Since = Annotated[str | None, typer.Option(help=f"Ended then or later: {_EXAMPLE}Z.")]
Until = Annotated[str | None, typer.Option(help="Ended before then.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many, the oldest first.")]
Everything = Annotated[bool, typer.Option("--all", help="Everything; instead of a filter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, send nothing.")]


class Unusable(ValueError):
    """Options that cannot be used; the message says which, and the mend."""


def replay(
    account: Account = None,
    action: Action = None,
    error: Errors = None,
    sid: Sid = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    everything: Everything = False,
    dry_run: DryRun = False,
) -> None:
    """Send again what ended in pca.dead: a dispatch for which all that is given is true.

    It goes out as it was made, with the same webhook-id, and is tried by the whole schedule again.
    It stays in pca.dead too, so replaying it twice sends it twice.
    """
    try:
        wanted = wanted_by(account, action, error or (), sid, since, until, limit, everything)
    except Unusable as why:
        typer.secho(f"pca: {why}", fg=typer.colors.RED, err=True)
        raise typer.Exit(UNUSABLE) from why
    with reported():
        _replay(load(), wanted, dry_run)


def wanted_by(
    account: str | None,
    action: str | None,
    errors: Sequence[str],
    sid: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    everything: bool,
) -> Wanted:
    """The options as a filter. Raises `Unusable`."""
    filtered = errors or any(each is not None for each in (account, action, sid, since, until))
    if everything and filtered:
        raise Unusable("--all is for no filter at all; leave it out, or the others")
    if not everything and not filtered:
        raise Unusable(
            "say what is to be sent again: --account, --error, --sid, --since or --until;"
            " or --all for everything in pca.dead"
        )
    if action is not None and account is None:
        raise Unusable("--action needs --account: other accounts may have actions of that id")
    for error in errors:
        if error not in ERRORS:
            raise Unusable(f"--error: there is no {error!r}; there are {', '.join(ERRORS)}")
    begin, end = microseconds("--since", since), microseconds("--until", until)
    if begin is not None and end is not None and begin >= end:
        raise Unusable(f"--until {until} is not after --since {since}, so nothing lies between")
    return Wanted(account, action, frozenset(errors), sid, begin, end, limit)


def microseconds(option: str, text: str | None) -> int | None:
    """A time of ISO 8601 with an offset, since 1970. Raises `Unusable`."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unusable(f"{option}: {text!r} is no time; write it as {_EXAMPLE}Z") from error
    if time.tzinfo is None:
        whole = time.isoformat()
        raise Unusable(
            f"{option}: {text} may be any of a day's hours without its offset;"
            f" write {whole}Z for UTC, or {whole}-05:00"
        )
    return (time - _EPOCH) // _MICROSECOND


def _replay(settings: Settings, wanted: Wanted, dry_run: bool) -> None:
    with _kafka(settings), _bar("reading pca.dead") as progress:
        found = find(settings, wanted, progress)
    chosen = found.chosen()
    if found.unreadable:
        kept = f"{found.unreadable:,} record(s) that could not be read stay as they are."
        typer.echo(kept, err=True)
    if not chosen:
        typer.echo(f"Nothing matches, of {found.read:,} record(s) in pca.dead.")
        return
    rows = summary(chosen)
    typer.echo(table(rows))
    if beyond := found.matching - len(chosen):
        typer.echo(f"{beyond:,} more match, beyond --limit.")
    if any(row.kind.error == "paused" for row in rows):
        typer.echo(_PAUSED, err=True)
    if dry_run:
        typer.echo(f"A dry run: {len(chosen):,} would be sent again, nothing was.")
        return
    result = _send(settings, found)
    typer.echo(f"Replayed {result.count:,}.")
    if result.gone:
        raise Failure(f"{result.gone:,} had left pca.dead, their 30 days over, before their turn")


def _send(settings: Settings, found: Found) -> Replayed:
    sent = 0
    with _bar("replaying") as progress:

        def count(done: int, total: int) -> None:
            nonlocal sent
            sent = done
            progress(done, total)

        try:
            with _kafka(settings):
                return send(settings, found, count)
        except KeyboardInterrupt as interrupt:
            typer.echo(f"Interrupted. At least {sent:,} were replayed.", err=True)
            raise typer.Exit(INTERRUPTED) from interrupt
        except Failure as why:
            raise Failure(f"{why}. At least {sent:,} were replayed") from why


@contextmanager
def _kafka(settings: Settings) -> Iterator[None]:
    """What fails for want of Kafka or of the registry, as a sentence."""
    try:
        yield
    except KafkaException as error:
        raise Failure(
            f"Kafka at {settings.bootstrap} refuses or does not answer: {error.args[0].str()}"
            " (PCA_KAFKA_BOOTSTRAP_SERVERS says where it is)"
        ) from error
    except RegistryUnavailable as error:
        raise Failure(f"{error} (PCA_SCHEMA_REGISTRY_URL says where it is)") from error


@contextmanager
def _bar(what: str) -> Iterator[Tell]:
    """A bar on a terminal; nothing where nobody watches."""
    console = Console(stderr=True)
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as on:
        task = on.add_task(what, total=None)
        yield lambda done, total: on.update(task, completed=done, total=total)


def table(rows: Sequence[Row]) -> str:
    """Lines with aligned columns; times as `--since` takes them."""
    lines = [("account", "action", "error", "dispatches", "first ended", "last ended")]
    for row in rows:
        # Of a foreign producer it may be anything, and steer a terminal.
        names = [
            name if name.isprintable() else repr(name)
            for name in (row.kind.account_id, row.kind.action_id, row.kind.error)
        ]
        lines.append(
            (names[0], names[1], names[2], f"{row.count:,}", _at(row.first), _at(row.last))
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _at(time: int) -> str:
    """Cut to the second, so that `--since` with the first finds it."""
    try:
        moment = _EPOCH + timedelta(seconds=time // 1_000_000)
    except OverflowError:
        return "?"
    return moment.isoformat().removesuffix("+00:00") + "Z"

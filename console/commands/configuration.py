"""`pca plan`, `pca apply`, `pca export` and `pca config republish`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
import yaml

from console.commands.client import Client
from console.commands.document_file import read
from console.commands.failure import Failure, reported
from streaming.settings import load

File = Annotated[str, typer.Argument(help="YAML or JSON; - for standard input.")]
config = typer.Typer(help="The configuration as it lies in Kafka.", no_args_is_help=True)

_SIGNS = {
    "created": ("+", typer.colors.GREEN),
    "updated": ("~", typer.colors.YELLOW),
    "deleted": ("-", typer.colors.RED),
}


def plan(
    file: File,
    *,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 when there is anything to do.")
    ] = False,
) -> None:
    """Show what `pca apply` would change."""
    with reported():
        body = read(file)
        with Client(load()) as console:
            outcome = console.post("/v1/plan", body)
        show(outcome)
        if detailed_exitcode and outcome["changes"]:
            raise typer.Exit(2)


def apply(
    file: File,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before deleting.")] = False,
) -> None:
    """Make each account in FILE exactly as FILE says, all at once or not at all.

    What such an account has and FILE does not mention is deleted. Other accounts are left alone.
    On a terminal, asks before anything is deleted.
    """
    with reported():
        body = read(file)
        with Client(load()) as console:
            planned = console.post("/v1/plan", body)
            show(planned)
            if not planned["changes"]:
                return
            deleted = planned["counts"]["deleted"]
            if deleted and not yes and on_terminal():
                typer.confirm(f"{deleted} will be deleted. Go on?", abort=True)
            applied = console.post("/v1/apply", body)
        if applied["counts"] != planned["counts"]:
            typer.echo("The configuration had changed meanwhile. What was done:")
            show(applied)
        typer.echo("Applied.")


def on_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()


def export(
    file: Annotated[str, typer.Argument(help="Where to; - for standard output.")] = "-",
    *,
    account: Annotated[
        list[str] | None, typer.Option(help="Only this account; may be given more than once.")
    ] = None,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="In the clear instead of masked, for a backup.")
    ] = False,
) -> None:
    """Write the configuration as YAML that `pca apply` takes."""
    with reported():
        with Client(load()) as console:
            document = console.get("/v1/export", account=account or [], secrets=secrets)
        # The C emitter cannot be told to leave sequences of characters beyond ASCII alone.
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        text = yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True)
        if file == "-":
            sys.stdout.write(text)
            return
        try:
            path = Path(file)
            # It may hold secrets.
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Failure(f"{file}: {error.strerror}") from error


@config.callback()
def _config() -> None:
    """The configuration as it lies in Kafka."""


@config.command()
def republish() -> None:
    """Write the whole configuration to its topic again, and delete what should not be there."""
    with reported():
        with Client(load()) as console:
            counts = console.post("/v1/republish")
        sealed = counts.pop("sealed")
        shown = ", ".join(
            f"{count} {kind.replace('_', ' ')}{'' if kind.endswith('s') else '(s)'}"
            for kind, count in counts.items()
        )
        typer.echo(f"On their way to Kafka: {shown}.")
        if sealed:
            typer.echo(
                f"{sealed} action(s) hold secrets under a key that is not in PCA_SECRET_KEYS;"
                " the console's log says which."
            )


@config.command()
def rotate_secret(
    account: Annotated[str, typer.Argument()],
    action: Annotated[str, typer.Argument(help="The action's id.")],
    *,
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="A key pair; prints the public key.")
    ] = False,
) -> None:
    """Sign an action's requests with a new secret too, and print it, once.

    The secret before it goes on signing until the next time.
    """
    with reported():
        body = json.dumps({"kind": "ed25519" if ed25519 else "hmac"}).encode()
        path = f"/v1/accounts/{quote(account, '')}/actions/{quote(action, '')}/signing-secrets"
        with Client(load()) as console:
            made = console.post(path, body, **{"If-Match": "*"})
        typer.echo(made["public_key"] or made["secret"])


@config.command()
def resume(
    account: Annotated[str, typer.Argument()],
    action: Annotated[str, typer.Argument(help="The action's id.")],
) -> None:
    """Have a paused action tried again, unchanged. `pca replay` sends what was kept meanwhile."""
    with reported():
        path = f"/v1/accounts/{quote(account, '')}/actions/{quote(action, '')}/resume"
        with Client(load()) as console:
            resumed = console.post(path, b"")
        version = resumed["version"]
        typer.echo(f"{account}/{action} is at version {version}; the next call for it is the probe")


def show(outcome: dict[str, Any]) -> None:
    """Print changes a line each, coloured on a terminal, and the counts."""
    lines = []
    for change in outcome["changes"]:
        sign, colour = _SIGNS[change["change"]]
        fields = "; ".join(
            f"{field['field']}: {_value(field['before'])} → {_value(field['after'])}"
            for field in change["fields"]
        )
        line = f"{sign} {_name(change)}{': ' if fields else ''}{fields}"
        lines.append(typer.style(line, fg=colour))
    counts = outcome["counts"]
    lines.append(", ".join(f"{count} {what}" for what, count in counts.items()) + ".")
    typer.echo("\n".join(lines))


def _name(change: dict[str, Any]) -> str:
    kind, id_ = change["kind"].replace("_", " "), change["id"]
    return f"account {id_}" if kind == "account" else f"{kind} {change['account']}/{id_}"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    # JSON escapes what would steer a terminal; a plain word reads better without its quotes.
    text = json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) and value.isprintable() and value else text

"""`pca up`: the whole line on this machine, until interrupted."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from console.commands.failure import Failure, reported
from console.interruption import Interrupted, interruptible
from console.supervisor import (
    PORT_SETTINGS,
    Report,
    StageFailed,
    StageProcess,
    Supervisor,
    environment_of,
    line,
)
from deploy.errors import DeployError
from deploy.kafka.broker import LocalKafka
from deploy.ports import is_free
from streaming.settings import Settings, load

_WATCH_SECONDS = 0.1
_EXAMPLES = Path("docs", "examples")

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        file_okay=False,
        help="Folder for everything that is kept.",
        show_default="$PCA_DATA_DIR, or data",
    ),
]
KafkaPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Kafka's port; else the last one, or a free one."),
]


def up(data: Data = None, kafka_port: KafkaPort = None) -> None:
    """Run a local Kafka and every stage until interrupted, restarting a stage that dies.

    With PCA_KAFKA_BOOTSTRAP_SERVERS set, that Kafka is used and none is started.
    """
    out = Console(highlight=False)
    with reported():
        settings = load(**({} if data is None else {"data_dir": data}))
        try:
            with interruptible():
                _run(out, settings, kafka_port)
        except Interrupted:
            _say(out, "Everything is stopped.")
        except (DeployError, StageFailed) as error:
            raise Failure(str(error)) from error


def _run(out: Console, settings: Settings, kafka_port: int | None) -> None:
    """Ends only by an exception: `Interrupted`, or a failure while starting."""
    ports = {module: _port(settings, module) for module in PORT_SETTINGS}
    with ExitStack() as started:
        started.enter_context(_alone(settings.data_dir))
        for module, port in ports.items():
            _refuse_taken(module, port, ports)
        # Before the stages, two of which would otherwise make it up at once.
        settings.required_admin_key()
        settings.required_secret_keys()
        kafka = None
        if "PCA_KAFKA_BOOTSTRAP_SERVERS" not in os.environ:
            kafka = _kafka(started, out, settings.data_dir / "kafka", kafka_port)
            servers = {"bootstrap.servers": kafka.bootstrap}
            settings = settings.model_copy(
                update={"kafka": settings.kafka | servers, "replication_factor": 1}
            )
        stages = line(environment_of(settings), settings.data_dir / "logs", ports)
        supervisor = Supervisor(stages, kafka, lambda text: _report(out, text))
        started.callback(supervisor.stop)
        with _saying(out, "Stages") as report:
            report("starting")
            supervisor.start()
        _show(out, settings, stages, kafka)
        try:
            while True:
                supervisor.watch()
                time.sleep(_WATCH_SECONDS)
        finally:
            names = [stage.name for stage in stages] + (["Kafka"] if kafka else [])
            _say(out, f"Stopping: {', '.join(names)} …")


def _port(settings: Settings, module: str) -> int:
    port: int = getattr(settings, PORT_SETTINGS[module].removeprefix("PCA_").lower())
    return port


def _refuse_taken(module: str, port: int, ports: dict[str, int]) -> None:
    """Raise `Failure` for a port in use, or given to two stages, naming the setting."""
    setting = PORT_SETTINGS[module]
    twice = [PORT_SETTINGS[m] for m, p in ports.items() if p == port and m != module and port]
    if twice:
        raise Failure(f"{setting} and {twice[0]} are both {port}; change one")
    if port and not is_free(port):
        raise Failure(
            f"{setting}: port {port} is in use by another process; end that process, or set"
            f" {setting} to another port (0 takes a free one)"
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the data folder. Raises `Failure` when another `pca up` does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise Failure(
                f"`pca up` already runs on {folder.absolute()} (pid {lock.read().strip()});"
                " stop it, or choose another folder with --data"
            ) from error
        _write_pid(lock)
        yield


def _write_pid(lock: TextIO) -> None:
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()


def _kafka(started: ExitStack, out: Console, data: Path, port: int | None) -> LocalKafka:
    """A broker that answers; one that was left running is taken over."""
    kafka = LocalKafka(data, port)
    started.callback(kafka.stop)
    with _saying(out, "Kafka") as report:
        if not kafka.start(report=report):
            report("was running already on this folder; it will be stopped with the rest")
    return kafka


def _show(
    out: Console, settings: Settings, stages: list[StageProcess], kafka: LocalKafka | None
) -> None:
    """What listens where, where the key lies, and what to type next."""
    rows = [("what", "listens on", "logs to")]
    for stage in stages:
        page = "" if stage.module in ("producer", "console") else "/metrics"
        rows.append((stage.name, stage.url + page, str(stage.log)))
    if kafka is None:
        rows.append(("Kafka", settings.bootstrap, "(not started here)"))
    else:
        rows.append(("Kafka", kafka.bootstrap, str(kafka.status().log)))
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    for row in rows:
        _say(out, f"{row[0]:{first}}  {row[1]:{second}}  {row[2]}")
    _say(out, "")
    if settings.admin_key:
        _say(out, "The admin key is the one in PCA_ADMIN_KEY.")
    else:
        _say(out, f"The admin key lies in {settings.data_dir / 'admin.key'}; `pca` finds it there.")
    if not settings.dispatcher_allow_networks:
        _say(
            out, "Requests go to public addresses only; PCA_DISPATCHER_ALLOW_NETWORKS adds others."
        )
    _say(out, "Next, in another terminal:")
    pca = "pca" if shutil.which("pca") == sys.argv[0] else shlex.quote(sys.argv[0])
    command = _prefix(settings, stages) + pca
    for verb, example in (("apply", "quickstart.yaml"), ("emit", "calls.ndjson")):
        path = _EXAMPLES / example
        _say(out, f"  {command} {verb} {path if path.exists() else 'FILE'}")
    _say(out, "Ctrl-C stops everything.")


def _prefix(settings: Settings, stages: list[StageProcess]) -> str:
    """The settings that another terminal needs where they are not the usual ones."""
    gateway, *_, console = stages
    needed = {
        "PCA_DATA_DIR": (str(settings.data_dir), "data"),
        "PCA_CONSOLE_URL": (console.url, "http://127.0.0.1:8081"),
        "PCA_PRODUCER_URL": (gateway.url, "http://127.0.0.1:8080"),
    }
    return "".join(
        f"{name}={shlex.quote(value)} "
        for name, (value, usual) in needed.items()
        if value != usual and os.environ.get(name) != value
    )


def _say(out: Console, text: str) -> None:
    out.print(text, markup=False, soft_wrap=True)


def _report(out: Console, text: str) -> None:
    """Something happened to a stage while it ran."""
    _say(out, f"{time.strftime('%H:%M:%S')}  {text}")


@contextmanager
def _saying(out: Console, what: str) -> Iterator[Report]:
    """Tell what is going on: in place on a terminal, line by line elsewhere."""
    if not out.is_terminal:
        yield lambda text: _say(out, f"{what}: {text}")
        return
    with out.status(what) as status:
        yield lambda text: status.update(f"{what}: {text}")

"""The stages as child processes: started, watched, restarted when they die, stopped in order."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from deploy.errors import DeployError
from deploy.kafka.broker import LocalKafka
from deploy.ports import HOST, free_port
from streaming.settings import Settings

Report = Callable[[str], None]

PORT_SETTINGS = {
    "producer": "PCA_PRODUCER_PORT",
    "router": "PCA_ROUTER_METRICS_PORT",
    "dispatcher": "PCA_DISPATCHER_METRICS_PORT",
    "console": "PCA_CONSOLE_PORT",
}
"""Each stage's module, in the order of a call's way, and the setting of the port it answers on."""

READY_SECONDS = 60.0
STOP_SECONDS = 30.0
CALM_SECONDS = 30.0
"""A stage that ran this long before it died is started again after the shortest delay."""
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 10.0
_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 2.0
_BROKER_SECONDS = 1.0
_TAIL_LINES = 15
_TAIL_BYTES = 16_384

_handed_out: set[int] = set()  # free ports that a stage will listen on a moment later


class StageFailed(RuntimeError):
    """A stage ended, or was not ready in time, while it was being started. For people."""


def environment_of(settings: Settings) -> dict[str, str]:
    """A child's whole environment: ours without its PCA_…, and these settings instead."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PCA_")}
    for name, value in settings:
        if name == "kafka":
            for prop, text in settings.kafka.items():
                environment["PCA_KAFKA_" + prop.upper().replace(".", "_")] = text
        elif isinstance(value, tuple):
            environment["PCA_" + name.upper()] = ",".join(map(str, value))
        elif value is not None:
            environment["PCA_" + name.upper()] = str(value)
    return environment


class StageProcess:
    """One stage, at most one process at a time. Use by one thread at a time.

    The process is in a session of its own, so Ctrl-C reaches only us, and it does not outlive us
    (see `console.leash`).
    """

    def __init__(
        self, name: str, module: str, environment: Mapping[str, str], log: Path, port: int = 0
    ) -> None:
        """`module` is one of `PORT_SETTINGS`; `environment` is all the child gets; what it prints
        is appended to `log`. Port 0 chooses a free one now, kept over restarts."""
        if port == 0:
            port = free_port(_handed_out)
            _handed_out.add(port)
        self.name = name
        self.module = module
        self.log = log
        self.port = port
        self._environment = {**environment, PORT_SETTINGS[module]: str(port)}
        bind = environment.get("PCA_BIND", HOST)
        self._host = HOST if bind in ("0.0.0.0", "::", "") else bind  # noqa: S104  # looked at only
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self._host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Of the running process; None when there is none."""
        return self._process.pid if self._process is not None and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether the process runs, ready or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def ending(self) -> str:
        """How the last process ended: `killed by SIGKILL`, `exit code 1`."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            return "not ended"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def start(self) -> None:
        """Start it, and return without waiting until it is ready."""
        if self.alive:
            return
        self._let_go()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                # -P: a folder named `router` where somebody happens to stand is none of ours.
                [sys.executable, "-P", "-m", "console.leash", self.module],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )

    def ready(self) -> bool:
        """Ask /readyz once; False also when nothing answers within 2 s."""
        return self.alive and self._ask("/readyz")[0] == 200

    def metrics(self) -> str:
        """What /metrics says now; empty when nothing answers."""
        return self._ask("/metrics")[1]

    def await_ready(self, timeout: float = READY_SECONDS) -> None:
        """Return once it is ready. Raises `StageFailed` when it ends, or after `timeout` s."""
        deadline = time.monotonic() + timeout
        while not self.ready():
            if not self.alive:
                raise StageFailed(f"{self.name} ended ({self.ending}).\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StageFailed(
                    f"{self.name} was not ready within {timeout:g} s.\n{self.log_tail()}"
                )
            time.sleep(_POLL_SECONDS)

    def stop(self, deadline: float = STOP_SECONDS) -> bool:
        """Ask it to end (SIGTERM), and kill it after `deadline` s; False when that was needed."""
        process, clean = self._process, True
        if process is not None:
            process.terminate()
            try:
                process.wait(deadline)
            except subprocess.TimeoutExpired:
                clean = False
                process.kill()
        self._let_go()
        return clean

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would; returns when it is gone."""
        if self._process is not None:
            self._process.kill()
        self._let_go()

    def log_tail(self) -> str:
        """The last lines that it has logged since it was started."""
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines)])

    def _let_go(self) -> None:
        """Reap the process and close our end of its leash."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait()

    def _ask(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._host, self.port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()


def copies(
    module: str, count: int, environment: Mapping[str, str], logs: Path
) -> list[StageProcess]:
    """Several copies of one stage, each on a free port: router-1, router-2, …"""
    return [
        StageProcess(name, module, environment, logs / f"{name}.log")
        for name in (f"{module}-{number}" for number in range(1, count + 1))
    ]


def line(
    environment: Mapping[str, str], logs: Path, ports: Mapping[str, int] | None = None
) -> list[StageProcess]:
    """Every stage once, in the order of a call's way; free ports unless `ports` (by module) says.

    Each logs to its own file in `logs`.
    """
    names = {module: "gateway" if module == "producer" else module for module in PORT_SETTINGS}
    return [
        StageProcess(name, module, environment, logs / f"{name}.log", (ports or {}).get(module, 0))
        for module, name in names.items()
    ]


class Backoff:
    """How long to wait before a stage that died is started again."""

    def __init__(self) -> None:
        self._delay = _FIRST_DELAY

    def after(self, ran: float) -> float:
        """Seconds to wait, after it ran for `ran` seconds: up to 10, little again after calm."""
        if ran >= CALM_SECONDS:
            self._delay = _FIRST_DELAY
        delay, self._delay = self._delay, min(2 * self._delay, _LONGEST_DELAY)
        return delay


class _Watched:
    """One stage of a supervisor."""

    def __init__(self, stage: StageProcess) -> None:
        self.stage = stage
        self.backoff = Backoff()
        self.started = 0.0
        self.due: float | None = None
        """When to start it again; None while it runs."""
        self.settling = False
        """Started again, and not ready yet."""


class Supervisor:
    """Runs stages, and a local Kafka under them. Use by one thread at a time.

    `stages` in the order of a call's way: they are stopped front to back, so that what has been
    taken in is passed on, and Kafka last. A broker is started before by the caller, who needs its
    address for the stages' environment; here it is kept running.
    """

    def __init__(
        self,
        stages: Sequence[StageProcess],
        kafka: LocalKafka | None = None,
        report: Report = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watched = [_Watched(stage) for stage in stages]
        self._kafka = kafka
        self._report = report
        self._clock = clock
        self._looked_at_kafka = 0.0

    @property
    def stages(self) -> list[StageProcess]:
        """As given."""
        return [watched.stage for watched in self._watched]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, timeout: float = READY_SECONDS) -> None:
        """Start all at once and return when all are ready. Raises `StageFailed`; then `stop`."""
        for watched in reversed(self._watched):
            self._start(watched)
        deadline = self._clock() + timeout
        for stage in self.stages:
            stage.await_ready(max(0.0, deadline - self._clock()))

    def watch(self) -> None:
        """Look after every stage once: start those again that died and whose delay is over.

        Call it several times a second. Blocks for seconds only when the broker had died.
        """
        self._keep_kafka()
        for watched in self._watched:
            stage, now = watched.stage, self._clock()
            if watched.due is not None:
                if now >= watched.due:
                    self._start(watched)
                    watched.settling = True
            elif not stage.alive:
                delay = watched.backoff.after(now - watched.started)
                watched.due = now + delay
                self._report(f"{stage.name} ended ({stage.ending}); starting again in {delay:g} s")
            elif watched.settling and stage.ready():
                watched.settling = False
                self._report(f"{stage.name} is ready again (pid {stage.pid})")

    def stop(self) -> None:
        """Stop the stages front to back, then Kafka. May be called again."""
        for stage in self.stages:
            if not stage.stop():
                self._report(f"{stage.name} did not stop within {STOP_SECONDS:g} s and was killed")
        if self._kafka is not None:
            self._kafka.stop()

    def _start(self, watched: _Watched) -> None:
        watched.stage.start()
        watched.started, watched.due = self._clock(), None

    def _keep_kafka(self) -> None:
        now = self._clock()
        if self._kafka is None or now < self._looked_at_kafka + _BROKER_SECONDS:
            return
        self._looked_at_kafka = now
        if self._kafka.status().running:
            return
        self._report("Kafka ended; starting it again")
        try:
            self._kafka.start()
        except DeployError as error:
            self._report(f"Kafka does not start: {error}")
        else:
            self._report("Kafka is ready again")

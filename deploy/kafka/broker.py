"""A real Kafka broker on this machine, for development and tests."""

import base64
import fcntl
import logging
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.errors import DataFolderInUse, NeverStarted, PortInUse, StartFailed
from deploy.java import find_java
from deploy.kafka.properties import broker_properties
from deploy.maven import Report, fetch, silent
from deploy.ports import HOST, Ports
from deploy.process import Daemon

JAVA = 17

_FOLDER = Path(__file__).parent
_FORMAT_SECONDS = 60.0
_ANSWER_SECONDS = 0.5
# On few cores and a small heap G1 costs requests more than its shorter pauses spare them.
_JVM = ("-Xmx512m", "-XX:+UseParallelGC", "-XX:+ExitOnOutOfMemoryError")

# A client that knocks before the broker listens complains with every try.
_quiet = logging.getLogger("deploy.kafka.probe")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """What is known of a broker from outside; `port` is None before the first start."""

    running: bool
    pid: int | None
    port: int | None
    bootstrap: str | None
    data: Path
    log: Path


class LocalKafka:
    """One combined broker and controller on 127.0.0.1 that keeps everything in one folder.

    The broker outlives this object and this process: any `LocalKafka` of the same folder can see,
    stop and restart it. Its port stays the same over restarts. Use by one thread at a time.
    """

    def __init__(self, data: Path, port: int | None = None, proxy: int | None = None) -> None:
        """Use `data`, which need not exist; without `port`, the last one or a free one is taken.

        `proxy` is the port of a proxy that somebody runs in front of the broker: clients that come
        through it, to `behind_proxy`, are told to come to it for everything.
        """
        self.data = data.expanduser().resolve()
        self._wanted_port = port
        self._proxy = proxy
        self._ports = Ports(self.data / "ports.json")
        self._daemon = Daemon(self.data, "kafka")
        self._records = self.data / "records"
        self._properties = self.data / "server.properties"

    @property
    def bootstrap(self) -> str:
        """Return "127.0.0.1:PORT". Raises `NeverStarted` while the port is not settled."""
        bootstrap = self.status().bootstrap
        if bootstrap is None:
            raise NeverStarted(f"no broker has been started on {self.data} yet")
        return bootstrap

    @property
    def behind_proxy(self) -> str:
        """Return the "127.0.0.1:PORT" that a proxy passes on to. Raises `NeverStarted`."""
        port = self._ports.recall("proxied")
        if port is None:
            raise NeverStarted(f"no broker has been started on {self.data} for a proxy yet")
        return f"{HOST}:{port}"

    def status(self) -> BrokerStatus:
        """Return whether the broker's process runs, and where; asks the broker nothing."""
        pid = self._daemon.pid()
        port = self._ports.recall("broker")
        if pid is None and self._wanted_port is not None:
            port = self._wanted_port
        return BrokerStatus(
            running=pid is not None,
            pid=pid,
            port=port,
            bootstrap=None if port is None else f"{HOST}:{port}",
            data=self.data,
            log=self._daemon.log,
        )

    def start(self, timeout: float = 60.0, report: Report = silent) -> bool:
        """Return when the broker answers requests; False when it was running already.

        The first start of all downloads Kafka, and tells `report` about it; `timeout` (seconds)
        counts from after that. Raises a `DeployError`: `JavaMissing`, `MavenMissing`,
        `FetchFailed`, `PortInUse`, `DataFolderInUse`, or `StartFailed` with the end of the log.
        """
        with self._daemon.starting():
            status = self.status()
            if status.running:
                if self._wanted_port not in (None, status.port):
                    raise PortInUse(
                        f"the broker of {self.data} already runs on port {status.port}; "
                        f"stop it before starting it on port {self._wanted_port}"
                    )
                self._daemon.await_ready(_answering(self.bootstrap), timeout)
                return False
            self._refuse_foreign_broker()
            java = find_java(JAVA)
            jars = fetch(_FOLDER / "pom.xml", "copy-dependencies", java, report)
            port = self._ports.settle("broker", self._wanted_port)
            controller_port = self._ports.settle_inner("controller")
            proxied = None
            if self._proxy is not None:
                proxied = (self._ports.settle("proxied", None), self._proxy)
            self._properties.write_text(
                broker_properties(self._records, port, controller_port, proxied)
            )
            report("starting the broker")
            self._format(java, jars)
            arguments = [*_JVM, *self._classes(jars), "kafka.Kafka", str(self._properties)]
            self._daemon.launch(java, arguments, _answering(f"{HOST}:{port}"), timeout)
            return True

    def stop(self, timeout: float = 30.0) -> None:
        """End the broker in good order; kill it when that takes longer than `timeout` seconds.

        Does nothing when it does not run. Whatever it had acknowledged is still there after.
        """
        self._daemon.stop(timeout)

    def kill(self) -> None:
        """End the broker at once (SIGKILL), as a crash would; returns when it is gone."""
        self._daemon.kill()

    def _format(self, java: Path, jars: Path) -> None:
        """Give a new data folder its cluster id; a formatted one is left as it is."""
        # Kafka writes this file last, so a format that was cut short is done again.
        if (self._records / "meta.properties").exists():
            return
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted"]
        arguments = ["--cluster-id", _cluster_id(), "--config", str(self._properties)]
        with self._daemon.log.open("ab") as log:
            try:
                done = subprocess.run(
                    [java, *self._classes(jars), *tool, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=_FORMAT_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired as late:
                raise StartFailed(f"{self.data} was not formatted in {late.timeout:g} s") from late
        if done.returncode != 0:
            raise StartFailed(f"{self.data} cannot be formatted.\n{self._daemon.log_tail()}")

    def _classes(self, jars: Path) -> list[str]:
        return [
            f"-Dlog4j2.configurationFile={_FOLDER / 'log4j2.xml'}",
            f"-Dpca.log={self._daemon.log}",
            "-cp",
            f"{jars}/*",
        ]

    def _refuse_foreign_broker(self) -> None:
        """Raise `DataFolderInUse` when a broker that has no pid file of ours holds the folder."""
        lock = self._records / ".lock"
        if not lock.exists():
            return
        with lock.open("r+") as handle:
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as taken:
                raise DataFolderInUse(
                    f"another Kafka broker, which was not started here, works on {self.data}; "
                    "end it or choose another data folder"
                ) from taken


def _answering(bootstrap: str) -> Callable[[], bool]:
    """Return a question: does the broker at `bootstrap` answer a metadata request by now?"""
    client = AdminClient(
        {
            "bootstrap.servers": bootstrap,
            "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 100,
        },
        logger=_quiet,
    )

    def ask() -> bool:
        try:
            # A broker that has not joined its cluster yet answers too, but names no broker.
            return bool(client.list_topics(timeout=_ANSWER_SECONDS).brokers)
        except KafkaException:
            return False

    return ask


def _cluster_id() -> str:
    """Return a random id as Kafka writes them: 22 characters, no "-" at the start."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text

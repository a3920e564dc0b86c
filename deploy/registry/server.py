"""A real schema registry on this machine, for tests."""

import http.client
from collections.abc import Callable
from pathlib import Path

from deploy.errors import NeverStarted, PortInUse
from deploy.java import find_java
from deploy.maven import Report, fetch, silent
from deploy.ports import HOST, Ports
from deploy.process import Daemon

JAVA = 21

_POM = Path(__file__).with_name("pom.xml")
_API = "/apis/ccompat/v7"
_ANSWER_SECONDS = 2.0


class LocalRegistry:
    """An Apicurio Registry on 127.0.0.1 that speaks the Confluent API and keeps all in memory.

    The process outlives this object, but not what was registered: `data` holds its log, pid and
    port only. Use by one thread at a time.
    """

    def __init__(self, data: Path, port: int | None = None) -> None:
        """Use `data`, which need not exist; without `port`, the last one or a free one is taken."""
        self.data = data.expanduser().resolve()
        self._wanted_port = port
        self._ports = Ports(self.data / "ports.json")
        self._daemon = Daemon(self.data, "registry")

    @property
    def url(self) -> str:
        """Return the base address for clients. Raises `NeverStarted` before the first start."""
        port = self._ports.recall("registry")
        if port is None:
            raise NeverStarted(f"no registry has been started on {self.data} yet")
        return f"http://{HOST}:{port}{_API}"

    @property
    def log(self) -> Path:
        """Return where the registry logs."""
        return self._daemon.log

    def running(self) -> bool:
        """Say whether the registry's process runs."""
        return self._daemon.pid() is not None

    def start(self, timeout: float = 90.0, report: Report = silent) -> bool:
        """Return when the registry answers requests; False when it was running already.

        The first start of all downloads it (159 MB), and tells `report` about it; `timeout`
        (seconds) counts from after that. Raises a `DeployError`, as `LocalKafka.start` does.
        """
        with self._daemon.starting():
            if self.running():
                port = self._ports.recall("registry")
                if port is None or self._wanted_port not in (None, port):
                    raise PortInUse(
                        f"the registry of {self.data} already runs on port {port}; "
                        f"stop it before starting it on port {self._wanted_port}"
                    )
                self._daemon.await_ready(_answering(port), timeout)
                return False
            java = find_java(JAVA)
            folder = fetch(_POM, "unpack-dependencies", java, report)
            port = self._ports.settle("registry", self._wanted_port)
            report("starting the registry")
            arguments = _arguments(folder, port, self._ports.settle_inner("management"))
            self._daemon.launch(java, arguments, _answering(port), timeout)
            return True

    def stop(self, timeout: float = 30.0) -> None:
        """End the registry; kill it when that takes longer than `timeout` seconds."""
        self._daemon.stop(timeout)


def _arguments(folder: Path, port: int, management_port: int) -> list[str]:
    settings = {
        "quarkus.http.host": HOST,
        "quarkus.http.port": port,
        # Health and metrics have a port of their own, which is open to the network by default.
        "quarkus.management.host": HOST,
        "quarkus.management.port": management_port,
        "quarkus.otel.sdk.disabled": "true",
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "h2",
        "apicurio.datasource.url": "jdbc:h2:mem:registry",
    }
    options = [f"-D{name}={value}" for name, value in settings.items()]
    return ["-Xmx384m", *options, "-jar", str(folder / "quarkus-run.jar")]


def _answering(port: int) -> Callable[[], bool]:
    """Return a question: does the registry list its subjects by now?"""

    def ask() -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", f"{_API}/subjects")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask

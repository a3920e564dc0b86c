"""Toxiproxy: connections that are slow, thin, or cut, on command.

Built once with Go from the module proxy, and kept with Kafka's files.
"""

import fcntl
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path

from line import eventually

from deploy.maven import cache_folder
from deploy.ports import HOST, free_port

VERSION = "v2.7.0"
"""The last one that Debian 12's Go (1.19) builds."""
_PACKAGE = f"github.com/Shopify/toxiproxy/v2/cmd/server@{VERSION}"


def built():
    """The server's binary, built on the first call. Needs Go on the PATH, or the binary cached."""
    binary = cache_folder() / f"toxiproxy-{VERSION}" / "server"
    if binary.exists():
        return binary
    binary.parent.mkdir(parents=True, exist_ok=True)
    with (binary.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _build(binary)
    return binary


def obtainable():
    """Whether `built` can succeed here."""
    return shutil.which("go") is not None or (
        cache_folder() / f"toxiproxy-{VERSION}" / "server"
    ).exists()  # fmt: skip


def _build(binary):
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        # Nothing of the user's own Go is touched; without cgo no C compiler is needed.
        own = {"GOPATH": f"{folder}/path", "GOCACHE": f"{folder}/cache", "GOBIN": folder}
        rules = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw"}
        subprocess.run(
            ["go", "install", _PACKAGE], env=os.environ | own | rules, cwd=folder, check=True
        )
        Path(folder, "server").rename(binary)


class Toxiproxy:
    """A server on a free port, until `close`."""

    def __init__(self, log):
        self.log = log
        self._port = free_port()
        command = [built(), "-host", HOST, "-port", str(self._port)]
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command, stdout=out, stderr=out, env=os.environ | {"LOG_LEVEL": "info"}
            )
        eventually(self._answers)

    def _answers(self):
        try:
            return self.ask("GET", "/version")
        except OSError:
            return None

    def ask(self, method, path, body=None):
        """One request to its API; the answer, which must be a success."""
        connection = http.client.HTTPConnection(HOST, self._port, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        assert response.status < 300, f"{method} {path}: {response.status} {text}"
        return text or "{}"

    def proxy(self, name, upstream, port=None):
        """A proxy that passes on to `upstream`, "HOST:PORT"."""
        return Proxy(self, name, port or free_port(), upstream)

    def close(self):
        self._process.terminate()
        self._process.wait(10)


class Proxy:
    """One address in front of another."""

    def __init__(self, server, name, port, upstream):
        self.address = f"{HOST}:{port}"
        self._server = server
        self._path = f"/proxies/{name}"
        self._accepted = re.compile(rf'"name":"{name}",.*"Accepted client"')
        given = {"name": name, "listen": self.address, "upstream": upstream, "enabled": True}
        server.ask("POST", "/proxies", given)

    def accepted(self):
        """How many connections were opened to it so far."""
        return len(self._accepted.findall(self._server.log.read_text()))

    @contextmanager
    def down(self):
        """Nobody listens, and every connection is closed, inside the block."""
        self._server.ask("POST", self._path, {"enabled": False})
        try:
            yield
        finally:
            self._server.ask("POST", self._path, {"enabled": True})

    @contextmanager
    def toxic(self, kind, *, stream="downstream", toxicity=1.0, **attributes):
        """One of Toxiproxy's toxics inside the block, also on connections that stand already.

        "downstream" is what comes from the upstream; `toxicity` the share of connections hit.
        """
        name = f"{kind}-{uuid.uuid4().hex[:8]}"
        self._server.ask(
            "POST",
            f"{self._path}/toxics",
            {
                "name": name, "type": kind, "stream": stream,
                "toxicity": toxicity, "attributes": attributes,
            },
        )  # fmt: skip
        try:
            yield
        finally:
            self._server.ask("DELETE", f"{self._path}/toxics/{name}")

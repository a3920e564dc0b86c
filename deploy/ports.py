"""Ports of this machine's services: found once, remembered, given back after a restart."""

import json
import random
import socket
from collections.abc import Collection
from pathlib import Path

from deploy.errors import PortInUse

HOST = "127.0.0.1"

# Below the ports that systems hand to outgoing connections (from 32768 on Linux, 49152 on macOS):
# while a broker is down, a client that keeps knocking could otherwise be given its very port.
_OWN_RANGE = range(20_000, 32_000)
_TRIES = 200


def is_free(port: int) -> bool:
    """Say whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        # Connections of a process that has just ended linger for a minute and block nobody.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port(besides: Collection[int] = ()) -> int:
    """Return a port that nobody listens on, none of `besides`. Raises `PortInUse` without one."""
    for _ in range(_TRIES):
        port = random.choice(_OWN_RANGE)  # noqa: S311  # spread, not secrecy
        if port not in besides and is_free(port):
            return port
    raise PortInUse(f"no free port found between {_OWN_RANGE.start} and {_OWN_RANGE.stop}")


class Ports:
    """The ports that one data folder's service has, by name, kept in a small JSON file."""

    def __init__(self, file: Path) -> None:
        """Use `file`, which need not exist yet."""
        self._file = file

    def recall(self, name: str) -> int | None:
        """Return the remembered port, or None when there is none."""
        return self._read().get(name)

    def settle(self, name: str, wanted: int | None) -> int:
        """Return the port to listen on, and remember it: `wanted`, else the one remembered.

        Raises `PortInUse` when that one is taken, since clients know it; without either, finds a
        free one.
        """
        known = self._read()
        port = wanted if wanted is not None else known.get(name)
        if port is None:
            port = free_port(known.values())
        elif not is_free(port):
            raise PortInUse(
                f"port {port} of {HOST} is already in use by another process; "
                "end that process or choose another port"
            )
        return self._remember(known, name, port)

    def settle_inner(self, name: str) -> int:
        """Return a port that no client knows: the one remembered, or a new one if it is taken."""
        known = self._read()
        others = [port for other, port in known.items() if other != name]
        port = known.get(name)
        if port is None or port in others or not is_free(port):
            port = free_port(others)
        return self._remember(known, name, port)

    def _read(self) -> dict[str, int]:
        try:
            known = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            # Nothing is lost with it but a number: a new one is found.
            return {}
        return known if isinstance(known, dict) else {}

    def _remember(self, known: dict[str, int], name: str, port: int) -> int:
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(known | {name: port}) + "\n")
        draft.replace(self._file)
        return port

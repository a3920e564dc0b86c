"""The peers that have to be compiled: built once, and again when their sources change.

What is built goes to `build/bench`, which git does not see and `make clean` removes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from deploy.errors import DeployError
from deploy.java import find_java

ROOT = Path(__file__).parent.parent
PEERS = ROOT / "bench" / "peers"
BUILT = ROOT / "build" / "bench"
SCHEMAS = ROOT / "schemas" / "avro"
JAVA = 17
_TAIL_LINES = 15


class Missing(Exception):
    """A peer that cannot be had on this machine; the message says why. Others are measured."""


@cache
def go_peer() -> Path:
    """The Go binary. Raises `Missing`."""
    sources, binary = PEERS / "go", BUILT / "peer"
    with _alone():
        if not _is_newer(binary, sources.rglob("*")):
            _run([_tool("go"), "build", "-o", str(binary), "./cmd/peer"], sources)
    return binary


@cache
def java_peer() -> list[str]:
    """The command up to the name of the client. Raises `Missing`."""
    sources, jar = PEERS / "java", BUILT / "java" / "java-peer.jar"
    try:
        java = find_java(JAVA)
    except DeployError as error:
        raise Missing(str(error)) from error
    with _alone():
        if not _is_newer(jar, [*sources.rglob("*"), *SCHEMAS.rglob("*.avsc")]):
            home = {"JAVA_HOME": str(java.parent.parent)}
            _run([_tool("mvn"), "-B", "-q", "-DskipTests", "package"], sources, home)
    return [str(java), "-Xmx1g", "-jar", str(jar)]


@contextmanager
def _alone() -> Iterator[None]:
    """Tests in several processes want the same peer; one of them builds it."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with (BUILT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_newer(made: Path, sources: Iterable[Path]) -> bool:
    if not made.exists():
        return False
    newest = max((path.stat().st_mtime for path in sources if path.is_file()), default=0.0)
    return made.stat().st_mtime > newest


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"`{name}` is not on the PATH")
    return found


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        ["nice", "-n", "19", *command],
        cwd=folder,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-_TAIL_LINES:])
        raise Missing(f"{Path(command[0]).name} failed:\n{tail}")

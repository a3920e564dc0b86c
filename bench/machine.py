"""On what it was measured: the machine, and the versions of everything that takes part."""

from __future__ import annotations

import os
import platform
import random
import re
import subprocess
import time
import timeit
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bench.builds import PEERS, ROOT
from deploy.errors import DeployError
from deploy.java import find_java
from schemas import binary

LIBRARIES = ("confluent-kafka", "fastavro", "uvloop", "httptools", "aiohttp", "yarl",
             "prometheus-client")  # fmt: skip
_WRITTEN = (":!bench/results.json", ":!bench/RESULTS.md", ":!bench/plots")
"""What measuring itself changes, for git."""
_PLACES = 2_000_000
"""In a list, with their numbers 80 MB: more than what caches keep."""
_GO_MODULE = re.compile(r"^\s*(?:require )?(\S+/\S+) (v\S+)$", re.MULTILINE)
_DEPENDENCY = re.compile(
    r"<artifactId>([^<]+)</artifactId>\s*<version>([^<$]+)</version>", re.MULTILINE
)
_PROPERTY = re.compile(r"<([a-z0-9.-]+)\.version>([^<]+)<")


def facts() -> list[list[str]]:
    """What and which, in the order of a reader's questions."""
    return [[name, value] for name, value in _facts() if value]


def _facts() -> Iterator[tuple[str, str]]:
    yield "CPU", _cpu()
    yield "cores", f"{os.cpu_count()}"
    yield "memory", f"{psutil.virtual_memory().total / 1024**3:.0f} GiB"
    # The number alone: what stands behind it names somebody's build.
    yield "kernel", f"{platform.system()} {re.split('[^0-9.]', platform.release())[0]}"
    yield "Python", f"{platform.python_implementation()} {platform.python_version()}"
    yield "its pace", f"{_pace():.0f} ns to fill a dict of two and change it"
    yield "libraries", ", ".join(_libraries())
    compiled = not (binary.__file__ or "").endswith(".py")
    yield "hot code", "compiled (see `setup.py`)" if compiled else "plain Python"
    yield "Kafka", _kafka()
    yield "Go", _answer(["go", "version"]).removeprefix("go version ")
    yield "Go modules", ", ".join(" ".join(found) for found in go_modules(_text("go/go.mod")))
    yield "Java", _java()
    yield "Java libraries", ", ".join(" ".join(found) for found in libraries(_text("java/pom.xml")))


def when() -> str:
    """The date, the commit that was measured, and how busy the machine's other users were."""
    date_and_commit = _date_and_commit()
    return f"{date_and_commit}; a random access to memory took {_random_access():.0f} ns"


def _date_and_commit() -> str:
    commit = _answer(["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"])
    changed = _answer(["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no",
                       "--", ".", *_WRITTEN])  # fmt: skip
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    if not commit:
        return date
    return f"{date} at {commit}{', with changes that are not committed' if changed else ''}"


def go_modules(text: str) -> list[tuple[str, str]]:
    """The direct ones of a `go.mod`, with versions."""
    return [(name, found) for name, found in _GO_MODULE.findall(text)]


def libraries(pom: str) -> list[tuple[str, str]]:
    """The dependencies of a POM, with versions, whether written there or as properties."""
    dependencies = re.sub(r"<build>.*</build>", "", pom, flags=re.DOTALL)
    _, _, dependencies = dependencies.partition("<dependencies>")
    versions = {f"${{{name}.version}}": found for name, found in _PROPERTY.findall(pom)}
    for name, found in versions.items():
        dependencies = dependencies.replace(name, found)
    return _DEPENDENCY.findall(dependencies)


def _pace() -> float:
    """Nanoseconds: Python itself may be built to be quick or not, which no version tells."""
    turns = 100_000
    return min(timeit.repeat("d = dict(a=1, b=2); d['a'] += 1", number=turns)) / turns * 1e9


def _random_access() -> float:
    """Nanoseconds. Neighbours on a shared machine show here, and not in `_pace`."""
    order = list(range(_PLACES))
    random.Random(0).shuffle(order)
    following = [0] * _PLACES
    for here, there in zip(order, order[1:] + order[:1], strict=True):
        following[here] = there
    at = 0
    began = time.perf_counter()
    for _ in range(_PLACES // 2):
        at = following[at]
    return (time.perf_counter() - began) / (_PLACES // 2) * 1e9


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor()


def _libraries() -> Iterator[str]:
    for name in LIBRARIES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def _kafka() -> str:
    pom = (ROOT / "deploy" / "kafka" / "pom.xml").read_text()
    found = re.search(r"<kafka\.version>([^<]+)<", pom)
    return f"{found[1]}, one broker, heap 512 MB" if found else ""


def _java() -> str:
    try:
        java = find_java(17)
    except DeployError:
        return ""
    return _answer([str(java), "-version"]).partition("\n")[0]


def _text(path: str) -> str:
    file = PEERS / path
    return file.read_text() if file.exists() else ""


def _answer(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if done.returncode != 0:
        return ""
    # Java answers on the other stream, after what it picks up from the environment.
    lines = (done.stdout or done.stderr).strip().splitlines()
    return "\n".join(line for line in lines if not line.startswith("Picked up"))

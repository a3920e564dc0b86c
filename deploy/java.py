"""Which Java of this machine runs a service."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from deploy.errors import JavaMissing

_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_ANSWER_SECONDS = 20.0


def find_java(minimum: int) -> Path:
    """Return the `java` of the lowest version that is at least `minimum` (17, 21, …).

    Looks at JAVA_HOME, then the PATH, then where Debian, Fedora and macOS keep their Javas; among
    equal versions the first one found wins. Raises `JavaMissing`, which says what was found.
    """
    found: dict[Path, int] = {}
    for java in _candidates():
        version = _version_of(java)
        if version is not None:
            found[java] = version
    return choose_java(found, minimum)


def choose_java(found: Mapping[Path, int], minimum: int) -> Path:
    """Return the Java of the lowest version that is at least `minimum`, the first among equals.

    `found` tells each Java's major version. Raises `JavaMissing`.
    """
    fitting = [java for java, version in found.items() if version >= minimum]
    if fitting:
        return min(fitting, key=found.__getitem__)
    seen = ", ".join(f"{version} at {java}" for java, version in found.items()) or "none"
    raise JavaMissing(
        f"Java {minimum} or later is needed; found: {seen}. {_advice(minimum)}, or set JAVA_HOME."
    )


def parse_version(answer: str) -> int | None:
    """Return the major version in what `java -version` prints (8 for "1.8.0_392"), else None."""
    match = _VERSION.search(answer)
    return int(match[1]) if match else None


def _candidates() -> Iterator[Path]:
    """Yield every `java` of this machine once, links resolved, in order of preference."""
    places: list[Path] = []
    if home := os.environ.get("JAVA_HOME"):
        places.append(Path(home, "bin", "java"))
    if on_path := shutil.which("java"):
        places.append(Path(on_path))
    places += sorted(Path("/usr/lib/jvm").glob("*/bin/java"))
    places += sorted(Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home/bin/java"))
    seen: set[Path] = set()
    for place in places:
        java = place.resolve()
        if java not in seen and java.is_file() and os.access(java, os.X_OK):
            seen.add(java)
            yield java


@cache
def _version_of(java: Path) -> int | None:
    """Ask one Java its version; None when it does not answer as a Java does."""
    try:
        answer = subprocess.run(
            [java, "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # macOS ships a `java` that only tells people to install one, and exits non-zero.
    return parse_version(answer.stderr + answer.stdout) if answer.returncode == 0 else None


def _advice(minimum: int) -> str:
    if sys.platform == "darwin":
        return f"Install it, for example with: brew install openjdk@{minimum}"
    return f"Install it, for example with: apt-get install openjdk-{minimum}-jre-headless"

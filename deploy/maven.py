"""Files of a Java service, fetched once by Maven and kept between runs."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from deploy.errors import FetchFailed, MavenMissing

Goal = Literal["copy-dependencies", "unpack-dependencies"]
Report = Callable[[str], None]

_DOWNLOADED = re.compile(r"Downloaded from .*\(([\d.,]+) (B|kB|MB|GB) at ")
_TELL_MEGABYTES = 5.0
_MEGABYTES = {"B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


def silent(_: str) -> None:
    """Report progress to nobody."""


def cache_folder() -> Path:
    """Return where fetched files are kept: PCA_CACHE_DIR, XDG_CACHE_HOME/pca or ~/.cache/pca."""
    if given := os.environ.get("PCA_CACHE_DIR"):
        return Path(given).expanduser().resolve()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg).resolve() / "pca"
    return Path.home() / ".cache" / "pca"


def fetch(pom: Path, goal: Goal, java: Path, report: Report = silent) -> Path:
    """Return a folder with everything that `pom` depends on, downloading it on the first call.

    The folder appears whole or not at all, however many processes ask at once and whenever one of
    them is killed. `report` is given short sentences while Maven works. Maven itself runs on
    `java`. Raises `MavenMissing` and `FetchFailed`.
    """
    digest = hashlib.sha256(goal.encode() + b"\0" + pom.read_bytes()).hexdigest()[:16]
    whole = cache_folder() / digest
    if whole.is_dir():
        return whole
    mvn = shutil.which("mvn")
    if mvn is None:
        raise MavenMissing(
            "Maven is needed to fetch the files of the service, and `mvn` is not on the PATH. "
            "Install it, for example with: apt-get install maven (macOS: brew install maven)."
        )
    whole.parent.mkdir(parents=True, exist_ok=True)
    with _lock(whole.with_suffix(".lock"), report):
        if whole.is_dir():
            return whole
        report(f"downloading, this once, into {whole.parent}")
        # Only the owner of the lock writes here, so what an earlier owner left is rubbish.
        for left in whole.parent.glob(f".{digest}.*"):
            shutil.rmtree(left)
        part = Path(tempfile.mkdtemp(prefix=f".{digest}.", dir=whole.parent))
        try:
            # Maven writes beside the POM that it reads; ours may be installed read-only.
            shutil.copyfile(pom, part / "pom.xml")
            _run([mvn, "-B", "-C", f"dependency:{goal}", "-DoutputDirectory=."], part, java, report)
            part.chmod(0o755)  # the cache may be filled by one user for others
            part.rename(whole)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return whole


def _run(command: list[str], folder: Path, java: Path, report: Report) -> None:
    """Run Maven in `folder`, telling how much it has downloaded. Raises `FetchFailed`."""
    environment = os.environ | {"JAVA_HOME": str(java.parent.parent)}
    # The goal's own properties are relative to the POM's folder, hence the working directory.
    maven = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    complaints: list[str] = []
    files, megabytes, told = 0, 0.0, 0.0
    with maven:
        try:
            for line in maven.stdout or ():
                if match := _DOWNLOADED.search(line):
                    files += 1
                    megabytes += float(match[1].replace(",", "")) * _MEGABYTES[match[2]]
                    if megabytes >= told + _TELL_MEGABYTES:
                        told = megabytes
                        report(f"downloaded {files} files, {megabytes:.0f} MB")
                elif "[ERROR]" in line:
                    complaints.append(line.split("[ERROR]", 1)[1].strip())
        except BaseException:
            maven.kill()
            raise
    if maven.returncode != 0:
        reason = complaints[0] if complaints else f"mvn ended with exit code {maven.returncode}"
        raise FetchFailed(f"Maven could not fetch the files of the service: {reason}")


@contextmanager
def _lock(file: Path, report: Report) -> Iterator[None]:
    """Hold an exclusive lock on `file`; it is let go even when this process is killed."""
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another process that is downloading the same files")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield

"""A bound on the CPU time of a process, by a control group: on a machine with few cores, copies
can then be compared that do not take it from each other, nor from broker and sink."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from pathlib import Path

PERIOD = 10_000
"""Microseconds in which a share is given out."""
_MOUNTS, _OWN = Path("/proc/mounts"), Path("/proc/self/cgroup")


class NoQuota(RuntimeError):
    """This system lets us bound no process."""


class Quota:
    """A control group of its own for a process. Made empty; `close` when the process has ended."""

    def __init__(self, share: float) -> None:
        """`share` of a core. Raises `NoQuota`."""
        quota = int(share * PERIOD)
        for parent in _parents():
            folder = parent / f"pca-{uuid.uuid4().hex[:8]}"
            with contextlib.suppress(OSError):
                folder.mkdir()
            try:
                if (folder / "cpu.max").exists():
                    (folder / "cpu.max").write_text(f"{quota} {PERIOD}")
                else:
                    (folder / "cpu.cfs_period_us").write_text(str(PERIOD))
                    (folder / "cpu.cfs_quota_us").write_text(str(quota))
            except OSError:
                _remove(folder)
                continue
            self._folder = folder
            return
        raise NoQuota("no control group can be made here: it takes root, and the controller `cpu`")

    def hold(self, pid: int) -> None:
        """Bound a process, with all its threads. Raises OSError when it is gone."""
        (self._folder / "cgroup.procs").write_text(str(pid))

    def close(self) -> None:
        """Take the group away."""
        deadline = time.monotonic() + 2
        while not _remove(self._folder) and time.monotonic() < deadline:
            time.sleep(0.01)  # a process that has ended leaves a moment later


def available() -> bool:
    """Whether processes can be bounded here."""
    try:
        Quota(1.0).close()
    except NoQuota:
        return False
    return True


def _remove(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def _parents() -> list[Path]:
    """Where a group may be made: our own of the controller `cpu` and those above it, or, with one
    hierarchy for all controllers, ours and those above."""
    if os.uname().sysname != "Linux":
        return []
    own = {}
    for line in _OWN.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own.update(dict.fromkeys(controllers.split(","), path))
    found = []
    for line in _MOUNTS.read_text().splitlines():
        _, point, kind, options, *_ = line.split()
        if kind == "cgroup" and "cpu" in options.split(",") and "cpu" in own:
            path = own["cpu"]
        elif kind == "cgroup2" and "" in own:
            path = own[""]
        else:
            continue
        top, group = Path(point), Path(point) / path.lstrip("/")
        found += [each for each in (group, *group.parents) if each.is_relative_to(top)]
    return found

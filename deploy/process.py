"""A server process that outlives the command that started it."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import StartFailed

_POLL_SECONDS = 0.05
_KILL_SECONDS = 10.0
_EXEC_SECONDS = 1.0
_TAIL_BYTES = 16_384
_TAIL_LINES = 15
_PROC = Path("/proc")  # Linux; elsewhere `ps` is asked

# The shell ends at once, so the server is nobody's child: it needs no parent that waits for it,
# and is never mistaken for running when it is only unreaped.
_LAUNCH = 'pid=$1 log=$2; shift 2; "$@" </dev/null >>"$log" 2>&1 & echo $! >"$pid"'


class Daemon:
    """One detached server, known by its data folder: a pid file, a log file, and its mark.

    The mark is an argument on the server's own command line that names the data folder. A pid is
    looked at or signalled only while the process behind it bears the mark, so a stale pid file
    never harms a stranger. No method may be called from two threads at once.
    """

    def __init__(self, data: Path, name: str) -> None:
        """Use `data`, an absolute folder that need not exist yet, for the server called `name`."""
        self.name = name
        self.data = data
        self.log = data / f"{name}.log"
        self.mark = f"-Dpca.{name}={data}"
        self._pid_file = data / f"{name}.pid"
        self._log_start = 0

    def pid(self) -> int | None:
        """Return the pid of the running server, or None."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if f" {self.mark} " in f" {_command_line(pid)} " else None

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Keep other processes from starting the same server meanwhile; waits for them."""
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def launch(
        self, java: Path, arguments: Sequence[str], ready: Callable[[], bool], timeout: float
    ) -> None:
        """Start `java` with `arguments` in the data folder and return when it is ready.

        It gets a session of its own, and what it prints goes to the log. Raises `StartFailed` as
        `await_ready` does; a server that is not ready in time is ended.
        """
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        command = [str(java), self.mark, *arguments]
        subprocess.run(
            ["/bin/sh", "-c", _LAUNCH, "sh", str(self._pid_file), str(self.log), *command],
            cwd=self.data,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=True,
        )
        try:
            self.await_ready(ready, timeout)
        except BaseException:
            self.kill()
            raise

    def await_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """Return once `ready()` is true; it is asked again and again and may itself wait a little.

        Raises `StartFailed` with the end of the log when the server ends first, or when `timeout`
        seconds have passed.
        """
        deadline = time.monotonic() + timeout
        while not ready():
            if self.pid() is None:
                raise StartFailed(f"{self.name} ended while it was starting.\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.name} did not answer within {timeout:g} s.\n{self.log_tail()}"
                )
            time.sleep(_POLL_SECONDS)

    def stop(self, timeout: float) -> None:
        """Ask the server to end; kill it when it has not within `timeout` seconds."""
        if not self._signal(signal.SIGTERM, timeout):
            self.kill()

    def kill(self) -> None:
        """End the server at once, without its knowing; returns when it is gone."""
        if not self._signal(signal.SIGKILL, _KILL_SECONDS):
            raise TimeoutError(f"{self.name} (pid {self.pid()}) does not end, even when killed")

    def log_tail(self) -> str:
        """Return the last lines that the server has logged since it was started here."""
        if not self.log.exists():
            return f"It logged nothing to {self.log}."
        with self.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            # The log may have been rolled since, and so be shorter than it was.
            since = self._log_start if self._log_start <= end else 0
            log.seek(max(since, end - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines)])

    def _signal(self, number: signal.Signals, timeout: float) -> bool:
        """Send a signal to the server, if it runs, and say whether it is gone in time."""
        deadline = time.monotonic() + timeout
        pid = self.pid()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pid = None
        # Its ports and locks are free only when the whole process is gone.
        while pid is not None and _lives(pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        if self.pid() is None:
            self._pid_file.unlink(missing_ok=True)
        return True


def _lives(pid: int) -> bool:
    """Say whether a process still runs or still has a thread that does."""
    if not _PROC.is_dir():
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    try:
        state = (_PROC / str(pid) / "stat").read_bytes().rpartition(b") ")[2][:1]
        # The main thread of a killed JVM can be dead while others still hold its sockets.
        return state not in b"ZX" or len(list((_PROC / str(pid) / "task").iterdir())) > 1
    except OSError:
        return False


def _command_line(pid: int) -> str:
    """Return the arguments of a process joined by blanks; empty when there is none such."""
    if _PROC.is_dir():
        return _linux_command_line(pid).replace(b"\0", b" ").decode(errors="surrogateescape")
    answer = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    return answer.stdout.strip()


def _linux_command_line(pid: int) -> bytes:
    """Return the raw arguments of a process from /proc.

    For a moment inside exec they read as empty, and so they do for ever with kernel threads.
    """
    deadline = time.monotonic() + _EXEC_SECONDS
    while True:
        try:
            raw = (_PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            return b""
        if raw or not _lives(pid) or time.monotonic() > deadline:
            return raw
        time.sleep(0.001)

"""Processes that obey: the sink, the endpoints and the loads. Each says `ready` when it begins."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Self

from bench.builds import ROOT

STOP_SECONDS = 60.0
"""How long writing down what came may take."""


def module(name: str, *arguments: object) -> list[str]:
    """The command of a module of ours."""
    return [sys.executable, "-m", name, *map(str, arguments)]


class Child:
    """Such a process, from entering to leaving. Raises `RuntimeError` when it does not begin.

    It ends with its input, or by itself, so it does not outlive us for long; Ctrl-C reaches only
    us.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = command
        self._environment = environment

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if (said := self._heard()) != "ready":
            self._process.kill()
            self._process.communicate()
            raise RuntimeError(f"{' '.join(self._command[:3])} did not begin; it said {said!r}")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:  # nobody will ask what came
            self.kill()
        self.stop()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def tell(self, word: str) -> None:
        """A line for it."""
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def ask(self, word: str) -> str:
        """A line for it, and the one that it answers."""
        self.tell(word)
        return self._heard()

    def _heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def ends_within(self, seconds: float) -> bool:
        """Whether it ends by itself so soon."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def result(self) -> str:
        """Wait until it ends by itself; what it said last. Raises `RuntimeError` when it fails."""
        assert self._process.stdout is not None
        said = self._process.stdout.read().strip()
        if self._process.wait() != 0:
            raise RuntimeError(f"{' '.join(self._command[:3])} failed")
        return said

    def kill(self) -> None:
        """End it at once; what it would write is lost."""
        self._process.kill()

    def stop(self) -> None:
        """End its input, and wait until it has written what it has to. May be called again."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it is gone already
                self._process.stdin.close()
            if not self.ends_within(STOP_SECONDS):
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()

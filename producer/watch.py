"""Whether calls can be written: the topics are there and Kafka answered lately."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

PROBE_INTERVAL = 1.0
"""Seconds between questions to a Kafka that does not answer."""


class Watch:
    """Not ready until `probe` returns once, and again after a failed delivery.

    `probe` is asked in a thread of its own, for it blocks, and only while not ready. It is a
    daemon, so that an unanswered question does not hold the process's end back.
    """

    def __init__(self, probe: Callable[[], object], interval: float = PROBE_INTERVAL) -> None:
        self._probe = probe
        self._interval = interval
        self._closing = threading.Event()
        self._doubt = threading.Event()
        self._doubt.set()
        self.reason: str | None = "Kafka has not answered yet"
        """Why not ready; None when ready."""
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def start(self) -> None:
        """Ask for the first time."""
        self._thread.start()

    def close(self) -> None:
        """Ask no more."""
        self._closing.set()
        self._doubt.set()

    def delivered(self) -> None:
        """The broker took calls."""
        self.reason = None

    def failed(self, reason: str) -> None:
        """The broker did not take calls."""
        if self.reason is None:
            log.warning("calls cannot be delivered", extra={"reason": reason})
        self.reason = reason
        self._doubt.set()

    def _watch(self) -> None:
        while True:
            self._doubt.wait()
            if self._closing.is_set():
                return
            self._doubt.clear()
            while self.reason is not None and not self._closing.is_set():
                self._ask()
                if self.reason is not None:
                    self._closing.wait(self._interval)

    def _ask(self) -> None:
        try:
            self._probe()
        except Exception as error:  # whatever is wrong, /readyz tells it and the next turn asks
            if str(error) != self.reason:
                log.warning("not ready", extra={"reason": str(error)})
            self.reason = str(error) or type(error).__name__
        else:
            log.info("ready")
            self.reason = None

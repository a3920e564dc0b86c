"""The end of a process, whatever hangs."""

from __future__ import annotations

import logging
import os
import threading

log = logging.getLogger(__name__)


class Watchdog:
    """Ends the process `seconds` after `start`, unless `cancel` came first.

    librdkafka may wait a minute for a broker that is frozen. Nothing is lost by not waiting for it:
    what was not committed is done again.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, _end_process)
        self._timer.daemon = True
        # A second signal may come while the handler of the first is in here, in the same thread.
        self._lock = threading.RLock()
        self._started = self._cancelled = False

    def start(self) -> None:
        """Begin to count, once; without effect after `cancel`. Any thread may call it."""
        with self._lock:
            if not self._started and not self._cancelled:
                self._started = True
                self._timer.start()

    def cancel(self) -> None:
        """All has ended well."""
        with self._lock:
            self._cancelled = True
            self._timer.cancel()


def _end_process() -> None:
    log.critical("did not end within the stop deadline; ended from within")
    logging.shutdown()
    os._exit(1)

"""The broker's answers to a set of records."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError

log = logging.getLogger(__name__)


class Acks:
    """Calls back once, when the broker has answered for all of a set of records.

    `on_all` gets the first error, or None, and is called in the producer's thread, or in the one
    that calls `seal`. What it raises ends the process: what waits for it would wait for ever.

    Nobody counts. A producer reports failures only, and until a record is answered it holds on to
    what it would report that record's to, so the set is complete when nothing holds `reports` any
    more. A call and a copy of the record for each answer took a fifth of the router's time.
    """

    __slots__ = ("_error", "_on_all", "_sealed", "reports")

    def __init__(self, on_all: Callable[[KafkaError | None], None]) -> None:
        self._on_all = on_all
        self._error: KafkaError | None = None
        self._sealed = False
        self.reports = _Reports(self)
        """For the producer, with each record of the set, until `seal`."""

    def seal(self) -> None:
        """No more records will join the set."""
        self._sealed = True
        del self.reports

    def _failed(self, error: KafkaError | None) -> None:
        if self._error is None:
            self._error = error

    def _complete(self) -> None:
        if not self._sealed:
            return  # given up: a record of it could not even be queued
        try:
            self._on_all(self._error)
        except Exception:
            log.critical("an acknowledgement could not be handled", exc_info=True)
            os.kill(os.getpid(), signal.SIGTERM)


class _Reports:
    """Called for each record that failed, gone when all are answered."""

    __slots__ = ("_acks",)

    def __init__(self, acks: Acks) -> None:
        self._acks = acks

    def __call__(self, error: KafkaError | None, _: Any) -> None:
        self._acks._failed(error)

    def __del__(self) -> None:
        self._acks._complete()

"""The broker's answers to a set of records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError


class Acks:
    """Counts the broker's answers to a set of records and calls back once, when all are in.

    One for a batch, not one a record. `on_all` gets the first error, or None, and is called in the
    producer's thread, or in the one that calls `seal`.
    """

    __slots__ = ("_acked", "_error", "_once", "_sealed", "_sent")

    def __init__(self, on_all: Callable[[KafkaError | None], None]) -> None:
        self._once = [on_all]
        self._sent = 0  # written by the sending thread only
        self._acked = 0  # written by the producer's thread only
        self._sealed = False
        self._error: KafkaError | None = None

    def sent(self, count: int = 1) -> None:
        """So many more records are on their way."""
        self._sent += count

    def seal(self) -> None:
        """No more records will join the set."""
        self._sealed = True
        self._check()

    def __call__(self, error: KafkaError | None, _: Any) -> None:
        """The broker's answer to one record."""
        self._acked += 1
        if error is not None and self._error is None:
            self._error = error
        if self._sealed:
            self._check()

    def _check(self) -> None:
        if self._acked == self._sent:
            try:
                on_all = self._once.pop()  # atomic: two threads may come here at once
            except IndexError:
                return
            on_all(self._error)

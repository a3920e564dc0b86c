"""Two producers that write in turns: one while records are few, one for a backlog.

What waits a little is sent together with what follows: in a backlog that spares a sixth of the work
here and half of the broker's, and nobody notices. While records are few, each would be late by as
much. librdkafka knows one linger a producer, so there are two.
"""

from __future__ import annotations

from streaming.producer import Producer

BATCHES = 10
"""So many in a row must say that it is the other's turn."""


class Turns:
    """Says which of the two writes.

    The turn changes only when the broker has answered for all that was written before: records of
    one key stay in order.
    """

    def __init__(self, prompt: Producer, patient: Producer) -> None:
        """`patient` lingers."""
        self.current = prompt
        self._prompt = prompt
        self._patient = patient
        self._against = 0
        """Batches in a row that the other would suit better."""

    def note(self, *, full: bool) -> None:
        """A batch was read. `full`: as much as is read at once, so that there may be more."""
        suits = full == (self.current is self._patient)
        self._against = 0 if suits else self._against + 1

    def settled(self) -> bool:
        """False while the turn should change, but the broker still owes answers: write nothing."""
        if self._against < BATCHES:
            return True
        if len(self.current):
            return False
        self.current = self._prompt if self.current is self._patient else self._patient
        self._against = 0
        return True

    def close(self, timeout: float) -> int:
        """`Producer.close` of both, one of which has nothing to wait for."""
        return self._prompt.close(timeout) + self._patient.close(timeout)

"""Sending a request: the narrow port that deliveries, test-sends and their tests know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dispatcher.request import Request
from dispatcher.transport.answer import Answer, Trace, TransportError

__all__ = ["KEPT_BODY", "Answer", "Ended", "Trace", "Transport", "TransportError"]

KEPT_BODY = 4096
"""Bytes of an answer's body that an attempt keeps."""
Ended = Callable[[Answer | TransportError], None]
"""Is told what came of a request, once, on the event loop. It must not raise."""


class Transport(Protocol):
    """Sends requests. Safe for any number at once on one event loop."""

    def start(self, request: Request, ended: Ended) -> None:
        """`send` without waiting; `ended` is called when this has returned, never before."""

    async def send(self, request: Request) -> Answer:
        """The server's answer, whatever its status; no redirect is followed.

        Raises `TransportError` when none came within the deadline, or none that is HTTP.
        """

    async def close(self) -> None:
        """End all connections."""

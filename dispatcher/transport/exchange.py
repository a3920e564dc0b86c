"""A request on its way to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from dispatcher.transport import Ended, Trace
from dispatcher.transport.origin import Origin

if TYPE_CHECKING:
    from dispatcher.transport.connection import Connection


class Exchange:
    """What is known of one request from its start until it ends."""

    __slots__ = (
        "body", "dialling", "ended", "head", "head_only", "on", "on_overdue", "origin", "over",
        "slot", "started_at", "trace",
    )  # fmt: skip

    def __init__(
        self,
        origin: Origin,
        head: bytes,
        body: bytes,
        head_only: bool,
        started_at: float,
        ended: Ended,
        on_overdue: Callable[[Exchange], None],
    ) -> None:
        self.origin = origin
        self.head = head
        self.body = body
        self.head_only = head_only
        """The answer will have no body, whatever it says."""
        self.started_at = started_at
        self.ended = ended
        self.over = False
        """`ended` was told, or is not to be told any more."""
        self.on_overdue = on_overdue
        self.trace = Trace()
        self.slot = 0
        """Where its deadline is in the wheel."""
        self.on: Connection | None = None
        """That it was sent over."""
        self.dialling: asyncio.Task[None] | None = None

    def overdue(self) -> None:
        """See `deadlines.Overdue`."""
        self.on_overdue(self)

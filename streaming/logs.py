"""JSON lines on stderr: what every service logs."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

from pythonjsonlogger.json import JsonFormatter

REPEAT_SECONDS = 5.0


class _OncePerWhile(logging.Filter):
    """Lets Kafka's clients complain of one thing once in five seconds: while a broker is away, each
    of librdkafka's threads has something to say twenty times a second, and our own twice."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        event, mark, _ = record.getMessage().partition(" [")
        if not mark or not event.isupper():  # theirs: FAIL [client] [thread]: …
            return True
        now = self._clock()
        if now - self._said.get((record.name, event), float("-inf")) < REPEAT_SECONDS:
            return False
        self._said[record.name, event] = now
        return True


def to_stderr(service: str, level: str = "INFO") -> None:
    """Log one JSON object a line; `extra={…}` become its fields."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"service": service},
            timestamp="time",
        )
    )
    handler.addFilter(_OncePerWhile())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # One line a request is the access log of a proxy, not ours.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)

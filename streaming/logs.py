"""JSON lines on stderr: what every service logs."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


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
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # One line a request is the access log of a proxy, not ours.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)

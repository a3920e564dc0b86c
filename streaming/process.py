"""What every service's `__main__` does: settings, logs, and an exit code that says how it ended."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from streaming import logs
from streaming.health import PortTaken
from streaming.settings import Settings, SettingsError, load
from streaming.topics import TopicError


def main(service: str, run: Callable[[Settings], None]) -> None:
    """Run a service and exit: 0 stopped as asked, 1 failed, 2 a setting cannot be used.

    What a person can mend is one line; anything else is logged with its traceback.
    """
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(_complaint(service, error, 2))
    logs.to_stderr(service, settings.log_level)
    try:
        run(settings)
    except (TopicError, PortTaken) as error:
        logging.getLogger(service).critical("%s", error)
        sys.exit(1)
    except Exception:
        logging.getLogger(service).critical("stopped by an error", exc_info=True)
        sys.exit(1)


def _complaint(service: str, error: Exception, code: int) -> int:
    print(f"{service}: {error}", file=sys.stderr)
    return code

"""What every service's `__main__` does: settings, logs, and an exit code that says how it ended."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import resource
import sys
from collections.abc import Callable

from streaming import logs
from streaming.health import PortTaken
from streaming.settings import Settings, SettingsError, load, unknown
from streaming.topics import TopicError

_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""


def main(service: str, run: Callable[[Settings], None]) -> None:
    """Run a service and exit: 0 stopped as asked, 1 failed, 2 a setting cannot be used.

    What a person can mend is one line; anything else is logged with its traceback.
    """
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(_complaint(service, error, 2))
    _raise_open_files()
    _share_memory()
    logs.to_stderr(service, settings.log_level)
    for name in unknown():
        logging.getLogger(service).warning("%s is no setting and has no effect", name)
    try:
        run(settings)
    except SettingsError as error:
        sys.exit(_complaint(service, error, 2))
    except (TopicError, PortTaken) as error:
        logging.getLogger(service).critical("%s", error)
        sys.exit(1)
    except Exception:
        logging.getLogger(service).critical("stopped by an error", exc_info=True)
        sys.exit(1)


def _raise_open_files() -> None:
    """As many descriptors as the system allows: each request in flight holds one, and Kafka must
    not be the one that finds none left."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _share_memory() -> None:
    """One heap for all threads, where the C library is glibc. Else each has its own, and what one
    frees another cannot use: a dispatcher under load grows by some 20 MB for that."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _complaint(service: str, error: Exception, code: int) -> int:
    print(f"{service}: {error}", file=sys.stderr)
    return code

"""A process ends, whatever hangs."""

import subprocess
import sys

from streaming.watchdog import Watchdog


def test_a_process_that_hangs_is_ended_from_within():
    hangs = """
import threading
from streaming.watchdog import Watchdog
Watchdog(0.05).start()
threading.Event().wait()
"""
    assert subprocess.run([sys.executable, "-c", hangs], timeout=20, check=False).returncode == 1


def test_one_that_was_cancelled_never_starts():
    dog = Watchdog(0.0)
    dog.cancel()
    dog.start()
    assert not dog._timer.is_alive()

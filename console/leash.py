"""`python -m console.leash MODULE`: a stage that does not outlive whoever started it.

Its standard input is a pipe that the starter holds open. However the starter ends, by SIGKILL too,
the system closes the pipe, and the stage then stops as if it had been asked to.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

STOP_SECONDS = 30.0
"""How long a stage may take to stop in good order."""


def _hold() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_hold, name="leash", daemon=True).start()
    module = sys.argv.pop(1)
    runpy.run_module(module, run_name="__main__", alter_sys=True)

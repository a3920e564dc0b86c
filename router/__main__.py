"""`python -m router`."""

from router.service import run
from streaming.process import main

main("router", run)

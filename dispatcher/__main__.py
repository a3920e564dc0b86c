"""`python -m dispatcher`."""

from dispatcher.service import run
from streaming.process import main

main("dispatcher", run)

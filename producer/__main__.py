"""`python -m producer`: the gateway."""

from producer.service import run
from streaming.process import main

main("producer", run)

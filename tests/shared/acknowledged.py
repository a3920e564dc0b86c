"""Records that a test writes and then counts on."""

import threading
from contextlib import contextmanager

from streaming.acks import Acks


@contextmanager
def acknowledged(timeout=30.0):
    """`with acknowledged() as acks:` what is sent with `acks` inside is in Kafka at the end."""
    done, errors = threading.Event(), []
    acks = Acks(lambda error: (errors.append(error), done.set()))
    yield acks
    acks.seal()
    assert done.wait(timeout), f"not acknowledged within {timeout} s"
    assert errors == [None]

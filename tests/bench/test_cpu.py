import os
import threading
import time

import psutil
import pytest

from bench.cpu import cpu_seconds


def busy(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_all_threads_count_those_that_ended_too():
    before = cpu_seconds(os.getpid())
    thread = threading.Thread(target=busy, args=(0.1,))
    thread.start()
    thread.join()
    busy(0.1)
    assert 0.19 < cpu_seconds(os.getpid()) - before < 1


def test_it_is_what_the_system_counts():
    times = psutil.Process().cpu_times()
    assert cpu_seconds(os.getpid()) == pytest.approx(times.user + times.system, abs=0.2)


def test_of_a_process_that_is_gone_there_is_none():
    with pytest.raises((OSError, psutil.Error)):
        cpu_seconds(2**22 - 3)

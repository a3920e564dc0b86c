import sys

import pytest
from line import settings_for

from bench.cpu import Cores
from bench.subjects import OURS, Subject, SubjectFailed
from bench.throughput import Throughput


class SharedBroker:
    """A testbed on the broker of all tests."""

    cores = Cores()

    def __init__(self, kafka, folder):
        self.kafka, self.folder = kafka, folder

    def settings(self, **changes):
        return settings_for(self.kafka, data_dir=self.folder, **changes)

    def broker_cpu_seconds(self):
        return 0.0


@pytest.fixture
def testbed(kafka, tmp_path):
    return SharedBroker(kafka, tmp_path)


@pytest.mark.parametrize("tls", [False, True])
def test_each_run_delivers_the_whole_backlog(testbed, go, tls):
    with Throughput(testbed, 2000, 10, tls=tls, partitions=3) as throughput:
        for _ in range(2):
            run = throughput.run(OURS, in_flight=16, warm_up=0.1)
            assert (run.received, run.attempts, run.lag) == (2000, 2000, 0)
            assert run.cpu > 0


def test_a_subject_that_ends_is_told_of_with_what_it_said(testbed, go):
    broken = Subject("broken", "dispatcher", lambda: [sys.executable, "-c", "exit('no way')"])
    with (
        Throughput(testbed, 10, 1, partitions=1) as throughput,
        pytest.raises(SubjectFailed, match="no way"),
    ):
        throughput.run(broken)

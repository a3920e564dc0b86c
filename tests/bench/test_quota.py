import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import quota
from bench.cpu import cpu_seconds
from bench.quota import NoQuota, Quota


@pytest.fixture
def spinning():
    """A process that would use a whole core."""
    process = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.skipif(not quota.available(), reason="it takes root, and control groups")
def test_a_process_gets_its_share_of_a_core_and_no_more(spinning):
    one = Quota(0.1)
    one.hold(spinning.pid)
    began, used = time.monotonic(), cpu_seconds(spinning.pid)
    while cpu_seconds(spinning.pid) < used + 0.05:
        assert spinning.poll() is None
    took = time.monotonic() - began
    spinning.kill()
    spinning.wait()
    one.close()
    assert took > 0.4  # a whole core takes 0.05


def test_where_there_are_no_control_groups_it_says_so(monkeypatch, tmp_path):
    nothing = tmp_path / "nothing"
    nothing.write_text("")
    monkeypatch.setattr(quota, "_MOUNTS", nothing)
    monkeypatch.setattr(quota, "_OWN", nothing)
    assert not quota.available()
    with pytest.raises(NoQuota, match="root"):
        Quota(0.5)


def test_groups_of_either_version_are_looked_for_from_our_own_upwards(monkeypatch, tmp_path):
    mounts, own = tmp_path / "mounts", tmp_path / "own"
    mounts.write_text(
        "cgroup /sys/cpu cgroup rw,cpu,cpuacct 0 0\n"
        "cgroup /sys/memory cgroup rw,memory 0 0\n"
        "cgroup2 /sys/all cgroup2 rw 0 0\n"
        "tmpfs /tmp tmpfs rw 0 0\n"
    )
    own.write_text("4:cpu,cpuacct:/a/b\n3:memory:/c\n0::/d\n")
    monkeypatch.setattr(quota, "_MOUNTS", mounts)
    monkeypatch.setattr(quota, "_OWN", own)
    assert quota._parents() == [
        Path("/sys/cpu/a/b"), Path("/sys/cpu/a"), Path("/sys/cpu"), Path("/sys/all/d"),
        Path("/sys/all"),
    ]  # fmt: skip

"""Servers are started, watched and ended, and never a stranger in their place."""

import subprocess
import time
from pathlib import Path

import pytest

from deploy.errors import StartFailed
from deploy.kafka.broker import LocalKafka
from deploy.process import Daemon


@pytest.fixture
def server(tmp_path):
    """Return a program that does what a test says instead of Java."""

    def write(script: str) -> Path:
        program = tmp_path / "java"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    return write


@pytest.fixture
def daemon(tmp_path):
    (tmp_path / "data").mkdir()
    daemon = Daemon(tmp_path / "data", "thing")
    yield daemon
    daemon.kill()


@pytest.fixture
def stranger():
    process = subprocess.Popen(["sleep", "100"])
    yield process
    process.kill()
    process.wait()


LIVES = "touch ready; while :; do sleep 0.05; done"


def is_ready(daemon):
    return (daemon.data / "ready").exists


def test_server_is_known_to_every_object_of_its_folder(daemon, server):
    daemon.launch(server(LIVES), [], is_ready(daemon), 10)
    other = Daemon(daemon.data, "thing")
    assert daemon.pid() is not None
    assert other.pid() == daemon.pid()
    other.stop(10)
    assert daemon.pid() is None


def test_server_that_dies_shows_its_last_words(daemon, server):
    daemon.log.write_text("words of an earlier run\n")
    with pytest.raises(StartFailed, match="cannot go on") as error:
        daemon.launch(server("echo cannot go on; exit 1"), [], lambda: False, 10)
    assert "earlier" not in str(error.value)


def test_server_that_never_answers_is_ended(daemon, server):
    with pytest.raises(StartFailed, match=r"within 0\.3 s"):
        daemon.launch(server(LIVES), [], lambda: False, 0.3)
    assert daemon.pid() is None


def test_server_that_will_not_stop_is_killed(daemon, server):
    daemon.launch(server(f"trap '' TERM; {LIVES}"), [], is_ready(daemon), 10)
    started = time.monotonic()
    daemon.stop(0.3)
    assert daemon.pid() is None
    assert time.monotonic() - started >= 0.3


def test_another_folder_is_another_server(daemon, server, tmp_path):
    daemon.launch(server(LIVES), [], is_ready(daemon), 10)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "thing.pid").write_text((daemon.data / "thing.pid").read_text())
    Daemon(copy, "thing").kill()
    assert daemon.pid() is not None


@pytest.mark.parametrize("end", [LocalKafka.stop, LocalKafka.kill])
def test_stranger_behind_a_stale_pid_file_is_left_alone(tmp_path, stranger, end):
    (tmp_path / "kafka.pid").write_text(f"{stranger.pid}\n")
    kafka = LocalKafka(tmp_path)
    assert not kafka.status().running
    end(kafka)
    assert stranger.poll() is None


@pytest.mark.parametrize("text", ["", "nonsense", "-1", "0", "99999999"])
def test_unreadable_pid_file_means_not_running(tmp_path, text):
    (tmp_path / "kafka.pid").write_text(text)
    assert LocalKafka(tmp_path).status().pid is None

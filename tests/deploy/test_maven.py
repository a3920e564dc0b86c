"""The cache is whole or empty, whatever happens to the download."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.errors import FetchFailed, MavenMissing
from deploy.maven import cache_folder, fetch

JAVA = Path(sys.executable)
GOAL = "copy-dependencies"

FETCH = """
import sys
from pathlib import Path
from deploy.maven import fetch
print(fetch(Path(sys.argv[1]), "copy-dependencies", Path(sys.executable)))
"""


@pytest.fixture
def pom(tmp_path, monkeypatch):
    monkeypatch.setenv("PCA_CACHE_DIR", str(tmp_path / "cache"))
    pom = tmp_path / "pom.xml"
    pom.write_text("<project/>")
    return pom


@pytest.fixture
def maven(tmp_path, monkeypatch):
    """Put an `mvn` on the PATH that does what a test says, and counts its calls."""

    def install(script: str) -> Path:
        calls = tmp_path / "calls"
        mvn = tmp_path / "bin" / "mvn"
        mvn.parent.mkdir(exist_ok=True)
        mvn.write_text(f"#!/bin/sh\necho call >>'{calls}'\n{script}\n")
        mvn.chmod(0o755)
        monkeypatch.setenv("PATH", f"{mvn.parent}{os.pathsep}{os.defpath}")
        return calls

    return install


def fetching(pom: Path) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, str(pom)],
        env=os.environ | {"PYTHONPATH": root},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_download_happens_once(pom, maven):
    calls = maven("echo jar >a.jar")
    first = fetch(pom, GOAL, JAVA)
    assert (first / "a.jar").read_text() == "jar\n"
    assert fetch(pom, GOAL, JAVA) == first
    assert calls.read_text() == "call\n"


def test_changed_pom_is_another_download(pom, maven):
    maven("echo jar >a.jar")
    first = fetch(pom, GOAL, JAVA)
    pom.write_text("<project><!-- newer --></project>")
    assert fetch(pom, GOAL, JAVA) != first


def test_failed_download_leaves_nothing_and_says_why(pom, maven):
    maven("echo half >a.jar; echo '[INFO] x'; echo '[ERROR] no such artifact'; exit 1")
    with pytest.raises(FetchFailed, match="no such artifact"):
        fetch(pom, GOAL, JAVA)
    assert [entry.suffix for entry in cache_folder().iterdir()] == [".lock"]
    maven("echo jar >a.jar")
    assert (fetch(pom, GOAL, JAVA) / "a.jar").exists()


def test_killed_download_is_done_again(pom, maven, tmp_path):
    # The real mvn replaces its shell by Java; this one is replaced by a sleep that is ended below.
    maven(f"echo half >a.jar; echo $$ >'{tmp_path}/mvn.pid'; exec sleep 60")
    with fetching(pom) as process:
        deadline = time.monotonic() + 20
        while not (tmp_path / "mvn.pid").exists() or not (tmp_path / "mvn.pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
        os.kill(int((tmp_path / "mvn.pid").read_text()), signal.SIGKILL)
    maven("echo jar >b.jar")
    folder = fetch(pom, GOAL, JAVA)
    assert not (folder / "a.jar").exists()
    assert [e for e in cache_folder().iterdir() if e.is_dir()] == [folder]


def test_two_processes_share_one_download(pom, maven):
    calls = maven("sleep 0.5; echo jar >a.jar")
    with fetching(pom) as one, fetching(pom) as two:
        folders = {one.communicate()[0], two.communicate()[0]}
    assert len(folders) == 1
    assert (Path(folders.pop().strip()) / "a.jar").exists()
    assert calls.read_text() == "call\n"


def test_progress_is_told(pom, maven):
    maven("echo 'Downloaded from here: a/b.jar (7.5 MB at 1.0 MB/s)'; echo jar >a.jar")
    told = []
    fetch(pom, GOAL, JAVA, told.append)
    assert told[-1] == "downloaded 1 files, 8 MB"


def test_missing_maven_says_what_to_install(pom, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MavenMissing, match="apt-get install maven"):
        fetch(pom, GOAL, JAVA)


def test_cache_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("PCA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "pca"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "pca"

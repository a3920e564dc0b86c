"""The peers that are compiled: of the newest schemas, and by their own tests."""

import json
import subprocess

from building import BUILDS

from bench.builds import PEERS
from schemas import released

pytestmark = BUILDS
NEWEST = max(released.releases())


def test_go_has_the_newest_schemas():
    for copy in sorted((PEERS / "go" / "internal" / "records" / "avro").iterdir()):
        newest = released.FOLDER / str(NEWEST) / copy.name
        assert json.loads(copy.read_text()) == json.loads(newest.read_text())


def test_java_is_given_the_newest_schemas():
    assert f"/schemas/avro/{NEWEST}</schemas>" in (PEERS / "java" / "pom.xml").read_text()


def test_gos_own_tests_pass_and_it_is_formatted(go):
    def output(*command):
        done = subprocess.run(
            command, cwd=PEERS / "go", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert output("gofmt", "-l", ".") == ""
    output("go", "vet", "./...")
    output("go", "test", "./...")

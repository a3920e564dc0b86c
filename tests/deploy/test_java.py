"""Which Java is taken, and what people are told when there is none."""

from pathlib import Path

import pytest

from deploy.errors import JavaMissing
from deploy.java import choose_java, find_java, parse_version

JAVA_8, JAVA_17, JAVA_21, JAVA_25 = (Path(f"/jvm/{n}/bin/java") for n in (8, 17, 21, 25))


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ('openjdk version "26-ea" 2026-03-17', 26),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21.0.2" 2024-01-16', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        ("", None),
    ],
)
def test_version_is_read_from_what_java_prints(answer, version):
    assert parse_version(answer) == version


def test_lowest_sufficient_java_is_taken():
    found = {JAVA_25: 25, JAVA_8: 8, JAVA_21: 21, JAVA_17: 17}
    assert choose_java(found, 17) == JAVA_17
    assert choose_java(found, 18) == JAVA_21


def test_first_found_wins_among_equals():
    first, second = Path("/home/me/java/bin/java"), JAVA_17
    assert choose_java({first: 17, second: 17}, 17) == first


def test_too_old_java_is_named_with_what_to_install():
    with pytest.raises(JavaMissing) as error:
        choose_java({JAVA_8: 8}, 17)
    assert "Java 17" in str(error.value)
    assert f"8 at {JAVA_8}" in str(error.value)
    assert "install" in str(error.value)


def test_no_java_is_said_so():
    with pytest.raises(JavaMissing, match="found: none"):
        choose_java({}, 21)


def test_java_home_is_asked(tmp_path, monkeypatch):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"900.0.1\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java(900) == java.resolve()

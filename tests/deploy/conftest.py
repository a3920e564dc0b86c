"""What the tests of local services share."""

import os
import shutil

import pytest

from deploy.errors import DeployError
from deploy.java import find_java


def _missing(reason: str) -> None:
    """Skip on a laptop; fail where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _need(java: int) -> None:
    try:
        find_java(java)
    except DeployError as error:
        _missing(str(error))
    if shutil.which("mvn") is None:
        _missing("mvn is not installed")


@pytest.fixture(scope="session")
def kafka_can_run():
    _need(17)


@pytest.fixture(scope="session")
def registry_can_run():
    _need(21)

"""How many connections there may be."""

import resource
import sys

import pytest

from dispatcher.transport.choice import SPARE_FILES, connections


@pytest.mark.parametrize(
    ("files", "most"),
    [(resource.RLIM_INFINITY, sys.maxsize), (20_000, 20_000 - SPARE_FILES), (100, 1)],
)
def test_as_many_as_files_may_be_open_beside_those_that_are_needed_otherwise(files, most):
    assert connections(files) == most

"""How many connections may be kept beside those in flight."""

import resource

import pytest

from dispatcher.transport.choice import SPARE_FILES, idle_connections


@pytest.mark.parametrize(
    ("files", "kept"),
    [
        (resource.RLIM_INFINITY, 10_000),
        (1_000_000, 10_000),
        (10_000 + 2_000 + SPARE_FILES, 10_000),
        (10_000 + 2_000 + SPARE_FILES - 1, 9_999),
        (4_096, 4_096 - 2_000 - SPARE_FILES),
        (1_024, 1),
    ],
)
def test_as_many_are_kept_as_wanted_where_files_allow_it(files, kept):
    assert idle_connections(10_000, 2_000, files) == kept

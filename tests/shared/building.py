"""What tests that may have to build a peer first have in common."""

import pytest

BUILDS = pytest.mark.timeout(1200)
"""On a new machine libraries are fetched and compiled."""

"""Builders: a call and the example of the documentation, as JSON."""

from __future__ import annotations

import copy
import json

import pytest
from example_call import EXAMPLE


@pytest.fixture
def example():
    """The completed call that the documentation shows, every block filled."""
    return copy.deepcopy(EXAMPLE)


@pytest.fixture
def call():
    """`call(talk_seconds=61)`: the JSON text of a call with the required fields and those given."""

    def build(**fields):
        required = {
            "account_id": "acme",
            "sid": "s-1",
            "started_at": "2026-07-01T14:03:22Z",
            "call_type": "inbound",
        }
        return json.dumps(required | fields)

    return build

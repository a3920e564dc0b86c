"""What a shape says of fields that it refuses."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from streaming.problems import errors_of


def refused(shape: type[BaseModel], fields: dict) -> dict[str, str]:
    """path → reason of each fault, as a client is told."""
    with pytest.raises(ValidationError) as caught:
        shape.model_validate(fields)
    return {fault["path"]: fault["reason"] for fault in errors_of(caught.value)}


def call_detail(**fields) -> dict:
    """A sound action, with the fields given put in place of its own."""
    sound = {"name": "CRM", "scope": "all_calls", "target_url": "https://example.com/handler"}
    return sound | fields


def analytics(**event) -> dict:
    """A sound Google Analytics action, with fields of its event changed."""
    sound = {"measurement_id": "G-ABC123", "api_secret": "s", "event_name": "phone_call"}
    return {"name": "GA", "scope": "all_calls", "option": "google_analytics",
            "google_analytics": sound | event}  # fmt: skip


def parameters(*names: str, placeholder="sid") -> list[dict]:
    return [{"name": name, "placeholder": placeholder} for name in names]

"""Refusals that only show when several fields are seen together, each at its own field's path.

A validator of a whole pydantic model can say one thing, and says it of the model; here it says as
many as there are, each with the path that a person has to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


class Refusals:
    """Collects what is wrong with one model; `settle` raises it all at once."""

    def __init__(self) -> None:
        self._faults: list[InitErrorDetails] = []

    def add(self, path: Sequence[str | int], reason: str, given: Any) -> None:
        """`path` inside the model; `reason` says what is wrong and what is allowed."""
        self._faults.append(
            InitErrorDetails(
                type=PydanticCustomError("refused", "{reason}", {"reason": reason}),
                loc=tuple(path),
                input=given,
            )
        )

    def settle(self, model: str) -> None:
        """Raises pydantic's ValidationError when there is anything to say of the model."""
        if self._faults:
            raise ValidationError.from_exception_data(model, self._faults, hide_input=True)

"""Conditions on a call: beyond the product document, and off unless given."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.call import Shape
from schemas.parameters import repeated
from schemas.refusals import Refusals

Word = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class Conditions(Shape):
    """What must all be true of a call for an action to run. What is left out is not asked."""

    minimum_talk_seconds: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """Whole seconds; a call without talk seconds has 0."""
    call_types: Annotated[list[Word], Field(max_length=20)] = Field(default_factory=list)
    """inbound, outbound, click-to or the producer's own word, in any case."""
    qualified: Literal["source", "destination", "both"] | None = None
    """By LeadFlow's rules."""
    pool_ids: Annotated[list[Word], Field(max_length=200)] = Field(default_factory=list)
    tags: Annotated[list[Word], Field(max_length=200)] = Field(default_factory=list)
    """LeadFlow's."""

    @model_validator(mode="after")
    def _nothing_stands_twice(self) -> Self:
        refusals = Refusals()
        lists = {
            "call_types": [word.casefold() for word in self.call_types],
            "pool_ids": self.pool_ids,
            "tags": self.tags,
        }
        for field, words in lists.items():
            for index, _ in repeated(words):
                given = getattr(self, field)[index]
                refusals.add((field, index), "stands here twice; remove one", given)
        refusals.settle("Conditions")
        return self

"""Dynamic parameters: a name that the customer's server sees, and what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from schemas.call import Shape
from schemas.placeholders import PLACEHOLDERS

ParameterName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]


def _placeholder(placeholder: str) -> str:
    if placeholder not in PLACEHOLDERS:
        raise ValueError(f"is no placeholder; allowed are {', '.join(PLACEHOLDERS)}")
    return placeholder


PlaceholderId = Annotated[str, AfterValidator(_placeholder)]


class Parameter(Shape):
    """One dynamic parameter."""

    name: ParameterName
    placeholder: PlaceholderId
    transform: Literal["mask", "sha256"] | None = None
    """`****0123`, or the SHA-256 of the value (of a number in E.164), in place of the value."""
    omit_empty: bool = False
    """Leave it out when the call has no value for it (D25)."""


def repeated(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The place and name of each that stands there for a second time."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index, name
        seen.add(name)

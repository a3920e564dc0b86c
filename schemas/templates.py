"""Body templates: text with `{{name}}` where a value goes."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from schemas.blocks import NAMED
from schemas.placeholders import PLACEHOLDERS

_OPENING = re.compile(r"\{\{")
_PLACE = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


def _template(text: str) -> str:
    """Raises ValueError for braces that name nothing, which would else be sent as they are."""
    if "\0" in text:
        raise ValueError("holds a NUL character; remove it")
    for opening in _OPENING.finditer(text):
        place = _PLACE.match(text, opening.start())
        line = text.count("\n", 0, opening.start()) + 1
        if place is None:
            raise ValueError(
                f"holds {{{{ in line {line} that begins no placeholder; write {{{{sid}}}} or the"
                " like, or { {"
            )
        if place[1] not in NAMED:
            near = get_close_matches(place[1], NAMED, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(
                f"names {place[1]!r} in line {line}, which is no placeholder; {hint}Allowed are"
                f" {', '.join(PLACEHOLDERS)}, and the st_…, LeadFlow and CAKE names"
            )
    return text


Template = Annotated[str, StringConstraints(max_length=32_000), AfterValidator(_template)]

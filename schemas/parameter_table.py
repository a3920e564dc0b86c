"""`docs/parameters.md`, made from the catalogue: `python -m schemas.parameter_table` writes it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from schemas.blocks import CAKE, LEADFLOW, SOURCETRAK
from schemas.placeholders import PLACEHOLDERS, Placeholder

PAGE = Path(__file__).parents[1] / "docs" / "parameters.md"

_HEAD = (
    "# Which parameters are there?\n\n"
    "This page is made from the catalogue by `python -m schemas.parameter_table`; edit"
    " `schemas/placeholders.py` and `schemas/blocks.py` instead. Meanings are the product"
    ' document\'s own words; "D40" and the like are the decisions that settle what it leaves'
    " open.\n\n"
    "What is empty is sent as a key with an empty value, or left out where the action asks for"
    " that. In a JSON body a value has the type named here, and an empty one is `null`.\n"
)

_CALL = """## Call details

What a dynamic parameter can hold, under any name. `{{id}}` in a template.

| id | label | meaning | written as | example | in JSON | empty when |
|---|---|---|---|---|---|---|"""

_BLOCK = """
## {title}

{when}

| name | meaning | written as | example | in JSON | empty when |
|---|---|---|---|---|---|"""

_BLOCKS = (
    (
        "Include SourceTrak Information",
        "All 22 are sent when the action includes them, the account has SourceTrak enabled and the"
        " call came through an SEO or PPC pool; none at all for one-to-one (D51). In a JSON body"
        ' they stand in the object `"sourcetrak"`.',
        SOURCETRAK,
    ),
    (
        "Include LeadFlow Information",
        "All 24 are sent when the action includes them, the account has LeadFlow enabled and"
        " LeadFlow processed the call; none otherwise (D52). In a JSON body they stand in the"
        ' object `"leadflow"`.',
        LEADFLOW,
    ),
    (
        "CAKE",
        "Sent after LeadFlow's, where the LeadFlow set has the integration enabled (D52). In a JSON"
        ' body they stand in the object `"leadflow"` too.',
        CAKE,
    ),
)


def page() -> str:
    """The Markdown."""
    lines = [_HEAD, _CALL, *(_row(p, labelled=True) for p in PLACEHOLDERS.values())]
    for title, when, block in _BLOCKS:
        lines.append(_BLOCK.format(title=title, when=when))
        lines += [_row(p, labelled=False) for p in block.parameters]
    return "\n".join(lines) + "\n"


def _row(p: Placeholder, *, labelled: bool) -> str:
    label = [p.label] if labelled else []
    return _cells([f"`{p.id}`", *label, p.meaning, p.format.written, f"`{p.example}`",
                   p.format.kind, p.when.empty])  # fmt: skip


def _cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

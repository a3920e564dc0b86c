"""The tables of docs/hostile-servers.md: `python tests/shared/hostile_page.py` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from misbehaviours import GROUPS, Row

from dispatcher.outcome import succeeded

PAGE = Path(__file__).parents[2] / "docs" / "hostile-servers.md"

_BEGINS, _ENDS = "## The connection", "## And what nobody thought of"
_HEADER = "| a server that | ends as | the dispatch | again |\n|---|---|---|---|\n"


def page() -> str:
    """The page as it stands, with the tables as they should be."""
    text = PAGE.read_text()
    before, after = text.partition(_BEGINS)[0], text.partition(_ENDS)[2]
    return before + "".join(_tables()) + _ENDS + after


def _tables() -> Iterator[str]:
    for title, rows in GROUPS.items():
        yield f"## {title}\n\n{_HEADER}"
        yield from map(_line, rows)
        yield "\n"


def _line(row: Row) -> str:
    thens = dict.fromkeys(then(row, end) for end in row.expected)
    again = {True: "yes", False: "no", None: ""}[row.reused]
    cells = (row.name, " or ".join(map(str, row.expected)), " or ".join(thens), again)
    return f"| {' | '.join(cells)} |\n"


def then(row: Row, end: int | str) -> str:
    """What comes of the dispatch: as the table says, not as the product does."""
    if isinstance(end, str):
        return "retry"
    return "delivered" if succeeded(end) else row.then


if __name__ == "__main__":
    PAGE.write_text(page())

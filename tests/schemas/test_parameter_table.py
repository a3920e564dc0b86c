"""docs/parameters.md says what the catalogue says."""

from __future__ import annotations

import re

from schemas.blocks import BLOCKS
from schemas.parameter_table import PAGE, page
from schemas.placeholders import PLACEHOLDERS

EVERY = [*PLACEHOLDERS.values(), *(p for block in BLOCKS for p in block.parameters)]


def test_the_page_on_disk_is_the_one_that_is_made():
    told = PAGE.read_text(encoding="utf-8")
    assert told == page(), "run: python -m schemas.parameter_table"


def test_every_parameter_has_a_row_with_every_cell_filled():
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in page().splitlines() if line[:3] == "| `"]
    assert [row[0].strip(" `") for row in rows] == [p.id for p in EVERY]
    assert all(cell.strip(" `") for row in rows for cell in row)
    assert {len(row) for row in rows} == {6, 7}

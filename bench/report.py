"""What a measurement has to say: tables, claims, and the figures behind them, as plain data.

Printed with rich, written as Markdown, kept as JSON; all from the same `Result`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from bench.stats import median, ranged

out = Console(soft_wrap=True, width=max(120, Console().width))


@dataclass(frozen=True, slots=True)
class Table:
    """The first column names the row; the others hold figures."""

    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure and what it is to be. `values` holds one of each round; their median counts."""

    text: str
    values: list[float]
    limit: float
    at_least: bool = False
    unit: str = ""

    @property
    def holds(self) -> bool:
        """False without any value too: what was not measured does not hold."""
        if not self.values:
            return False
        middle = median(self.values)
        return middle >= self.limit if self.at_least else middle <= self.limit

    def line(self) -> str:
        """As a sentence."""
        bound = "at least" if self.at_least else "at most"
        found = f"{ranged(self.values, 2)}{self.unit}" if self.values else "not measured"
        verdict = "holds" if self.holds else "does not hold"
        return f"{self.text}: {found}, to be {bound} {self.limit:g}{self.unit}: {verdict}"


@dataclass(slots=True)
class Result:
    """One measurement."""

    name: str
    title: str
    tables: list[Table] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """How it was measured, and what was left out."""
    data: dict[str, Any] = field(default_factory=dict)
    """Every round's figures; what plots are drawn from. Only what JSON knows."""
    measured: str = ""
    """When, and at which commit."""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Result:
        """What `to_json` gave."""
        return cls(
            **{
                **plain,
                "tables": [Table(**table) for table in plain["tables"]],
                "claims": [Claim(**claim) for claim in plain["claims"]],
            }
        )


def show(result: Result) -> None:
    """Print it."""
    out.print(f"\n[bold]{result.title}[/]")
    for table in result.tables:
        printed = RichTable(title=table.title, title_justify="left")
        for number, column in enumerate(table.columns):
            printed.add_column(column, justify="right" if number else "left")
        for row in table.rows:
            printed.add_row(*row)
        out.print(printed)
    for claim in result.claims:
        out.print(f"[{'green' if claim.holds else 'red'}]{claim.line()}[/]", highlight=False)
    for note in result.notes:
        out.print(note, highlight=False)


def markdown(result: Result) -> Iterator[str]:
    """Its section, line by line."""
    yield f"## {result.title}"
    yield ""
    if result.measured:
        yield f"Measured {result.measured}."
        yield ""
    for table in result.tables:
        yield f"**{table.title}**"
        yield ""
        yield _row(table.columns)
        yield _row(["---"] + ["---:"] * (len(table.columns) - 1))
        yield from map(_row, table.rows)
        yield ""
    yield from (f"- {claim.line()}" for claim in result.claims)
    if result.claims:
        yield ""
    yield from (f"- {note}" for note in result.notes)
    if result.notes:
        yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

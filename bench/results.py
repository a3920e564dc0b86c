"""All measurements, one after the other, and `bench/RESULTS.md`.

    python -m bench [--only delivery,latency] [--rounds 5] [--quick] [--from-file]

What was measured is kept in `bench/results.json`, each part by itself: parts can be measured again
alone, and the page written again without measuring (`--from-file`). A part that fails is told of;
the others are measured all the same.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Container, Sequence
from pathlib import Path

from bench import (
    delivery,
    http2,
    isolation_result,
    latency,
    machine,
    numbers,
    plots,
    render,
    routing,
    scale,
    soak,
    steps,
    transport,
)
from bench.builds import BUILT
from bench.command import parser, rounds_of
from bench.part import Part
from bench.report import Result, markdown, out, show
from bench.testbed import Testbed
from console.interruption import interruptible

FOLDER = Path(__file__).parent
PAGE, DATA = "RESULTS.md", "results.json"
PARTS: dict[str, Part] = {
    name: part
    for parts in (delivery, routing, latency, scale, numbers, render, steps, transport, http2,
                  isolation_result, soak)
    for name, part in parts.PARTS.items()
}  # fmt: skip
"""In the order of the page; the long ones last."""

_PLOTS = {"latency": plots.LATENCY, "scale-copies": plots.COPIES}
_ABOUT = """Written by `make bench`; `python -m bench --from-file` writes it again from
`results.json`. Figures are medians, with least and greatest of all rounds in parentheses. The
subjects of a table took turns, another one first in each round, and ratios are of runs in the same
round: how quick the machine was cancels out."""


def page(facts: list[list[str]], results: Sequence[Result], pictures: Container[str] = ()) -> str:
    """The whole page; `pictures` are those that were drawn."""
    lines = ["# Results", "", _ABOUT, "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts]
    claims = [claim for result in results for claim in result.claims]
    if claims:
        lines += ["", "## What it must show", ""]
        lines += [f"- {claim.line()}" for claim in claims]
    lines.append("")
    for result in results:
        lines += markdown(result)
        if (picture := _PLOTS.get(result.name)) in pictures:
            lines += [f"![{result.title}](plots/{picture})", ""]
    return "\n".join(lines).rstrip() + "\n"


def measure(names: Sequence[str], rounds: int | None, data: Path) -> list[str]:
    """Each part on a testbed of its own, kept in `data` as soon as it is measured; without a number
    of rounds, the quick form. Returns the names of those that failed."""
    failed = []
    for number, name in enumerate(names, 1):
        out.rule(f"{name} ({number} of {len(names)})")
        began = time.monotonic()
        part = PARTS[name]
        try:
            with Testbed(pinned=part.pinned) as testbed:
                result = part.quick(testbed) if rounds is None else part.full(testbed, rounds)
        except Exception:  # whatever it is, the other parts are worth having
            failed.append(name)
            out.print(traceback.format_exc(), markup=False)
            continue
        result.measured = machine.when()
        show(result)
        out.print(f"{name} took {(time.monotonic() - began) / 60:.1f} min")
        keep(data, result)
    return failed


def keep(data: Path, result: Result) -> None:
    """In place of an earlier one of the same name; with the machine as it is now."""
    kept = json.loads(data.read_text()) if data.exists() else {"results": {}}
    kept["machine"] = machine.facts()
    kept["results"][result.name] = result.to_json()
    data.parent.mkdir(parents=True, exist_ok=True)
    draft = data.with_suffix(".new")
    draft.write_text(json.dumps(kept, indent=1) + "\n")
    draft.replace(data)


def write(data: Path, folder: Path) -> Path:
    """The page and the pictures, from what is kept, into a folder."""
    kept = json.loads(data.read_text())
    found = {name: Result.from_json(plain) for name, plain in kept["results"].items()}
    results = [found[name] for name in PARTS if name in found]
    try:
        plots.draw(found, folder / "plots")
    except plots.NoMatplotlib as reason:
        out.print(f"[yellow]{reason}[/]")
    pictures = {path.name for path in (folder / "plots").glob("*.png")}
    path = folder / PAGE
    path.write_text(page(kept["machine"], results, pictures))
    return path


def main() -> None:
    """Measure, print, and write it all down."""
    arguments = parser(f"{__doc__}\nA smoke run writes to build/bench.")
    arguments.add_argument("--only", help="parts, comma between: " + ", ".join(PARTS))
    arguments.add_argument("--from-file", action="store_true", help="measure nothing")
    asked = arguments.parse_args()
    names = asked.only.split(",") if asked.only else list(PARTS)
    if unknown := set(names) - set(PARTS):
        arguments.error(f"no parts: {', '.join(unknown)}")
    folder = BUILT if asked.quick else FOLDER
    failed: list[str] = []
    if not asked.from_file:
        with interruptible():
            rounds = None if asked.quick else rounds_of(asked)
            failed = measure(names, rounds, folder / DATA)
    if (folder / DATA).exists():
        out.print(f"{write(folder / DATA, folder)} is written")
    if failed:
        sys.exit(f"could not be measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()

"""Write one sample of each record of a release: `python tests/schemas/write_samples.py 1`.

Run once, when a release is made. Its bytes are what a topic may hold for years, so a file that
exists is never written again.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

from schemas.released import releases

FOLDER = Path(__file__).parent / "released"


def sample(definition: Any) -> Any:
    """A value of a schema in which no field has its default."""
    numbers = itertools.count(1)
    named: dict[str, Any] = {}

    def of(node: Any, name: str) -> Any:
        if isinstance(node, list):
            return of(next(branch for branch in node if branch != "null"), name)
        if isinstance(node, str):
            simple = {
                "string": f"{name} é",
                "bytes": b"\x00\xff" + name.encode(),
                "boolean": True,
            }
            if node in ("long", "int"):
                return next(numbers) * 1_000_003
            if node == "double":
                return next(numbers) + 0.5
            return simple[node] if node in simple else of(named[node.split(".")[-1]], name)
        kind = node["type"]
        if "name" in node and kind in ("record", "enum"):
            named[node["name"]] = node
        if kind == "record":
            return {field["name"]: of(field["type"], field["name"]) for field in node["fields"]}
        if kind == "enum":
            return node["symbols"][-1]
        if kind == "array":
            return [of(node["items"], name), of(node["items"], name)]
        if kind == "map":
            return {f"{name} key": of(node["values"], name)}
        return of(kind, name)

    return of(definition, "")


def write(release: int) -> None:
    """The bytes, with their single-object header, and what they mean as JSON beside them."""
    folder = FOLDER / str(release)
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in releases()[release].items():
        record = sample(schema.definition)
        file = folder / f"{name}.bin"
        if file.exists():
            print(f"{file.name} is there already and stays", file=sys.stderr)
            continue
        file.write_bytes(schema.header + schema.encode(record))
        # Bytes stand as text of the same code points, as in Avro's own JSON encoding.
        text = json.dumps(
            record, indent=1, ensure_ascii=False, default=lambda b: b.decode("latin-1")
        )
        file.with_suffix(".json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    write(int(sys.argv[1]))

"""JSON bodies: parameters flat by name, blocks as objects, values with their types."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache

from dispatcher.parameters import Parameter, plain
from dispatcher.utf8 import utf8
from schemas.blocks import CAKE, LEADFLOW, SOURCETRAK, Block
from schemas.placeholders import Kind
from schemas.released import Record

CONTENT_TYPE = "application/json"
Member = Callable[[Record], str]
"""`"name":value` for a Dispatch record; empty where it is left out."""

text = json.JSONEncoder(ensure_ascii=False).encode
"""A JSON string, in quotes."""

# Digits stay as they are in a form, so 1.0 is `1.0` and a price keeps its two decimals. D43, D48.
_WRITTEN: dict[Kind, Callable[[str], str]] = {
    "text": text,
    "integer": str,
    "decimal": str,
    "flag": {"1": "true", "0": "false"}.__getitem__,
}


def _member(parameter: Parameter) -> Member:
    key = text(parameter.name) + ":"
    absent = "" if parameter.omit_empty else key + "null"
    value = parameter.value
    if (items := parameter.items) is not None:

        def listed(d: Record) -> str:
            # A list of one empty text is empty too: every body calls the same values empty.
            return f"{key}[{','.join(map(text, items(d)))}]" if value(d) else absent

        return listed
    written = _WRITTEN[parameter.kind]

    def member(d: Record) -> str:
        found = value(d)
        return key + written(found) if found else absent

    return member


@cache
def _block(block: Block, omit_empty: bool) -> tuple[Member, ...]:
    """The same for all actions."""
    return tuple(_member(plain(p, p.id, omit_empty)) for p in block.parameters)


def compile_json(
    parameters: Sequence[Parameter], blocks: Sequence[Block], omit_empty: bool
) -> Callable[[Record], bytes]:
    """The function that writes the body for a Dispatch record.

    What the call does not have is `null`, or left out. CAKE's pair stands in LeadFlow's object.
    """
    own = tuple(map(_member, parameters))
    sourcetrak = _block(SOURCETRAK, omit_empty) if SOURCETRAK in blocks else ()
    leadflow = _block(LEADFLOW, omit_empty) if LEADFLOW in blocks else ()
    leadflow_and_cake = leadflow + _block(CAKE, omit_empty)

    def fill(d: Record) -> bytes:
        members = [member(d) for member in own]
        if sourcetrak and SOURCETRAK.applies(d):
            members.append(f'"sourcetrak":{_object(sourcetrak, d)}')
        if leadflow and LEADFLOW.applies(d):
            inside = leadflow_and_cake if CAKE.applies(d) else leadflow
            members.append(f'"leadflow":{_object(inside, d)}')
        return utf8(f"{{{','.join(filter(None, members))}}}")

    return fill


def _object(members: Sequence[Member], d: Record) -> str:
    return f"{{{','.join(filter(None, [member(d) for member in members]))}}}"

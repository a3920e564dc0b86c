"""Which fields of a call parameters are filled from, so that the others need not be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.parameters import Parameter
from schemas import binary
from schemas.released import Record, current

_SCHEMA = current("CallCompleted")
_EMPTY, _ = binary.read(
    _SCHEMA.layout,
    _SCHEMA.encode({"account_id": "", "sid": "", "call_type": "", "started_at": 0}),
)
_SETTINGS = ("reverse_lookup_enabled", "sourcetrak_enabled", "leadflow_enabled")


class _Watched(dict[str, Any]):
    """Remembers what it was asked for."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)


def fields_of(parameters: Sequence[Parameter]) -> set[str]:
    """Found out by filling them in for a call that has nothing: a value that may come from several
    fields asks for all of them then. A test holds every placeholder to that."""
    call = _Watched(_EMPTY)
    dispatch: Record = {"call": call, "phone_label": "", **dict.fromkeys(_SETTINGS, True)}
    for parameter in parameters:
        parameter.value(dispatch)
        if parameter.items is not None:
            parameter.items(dispatch)
    return call.asked

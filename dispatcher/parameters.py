"""An action's parameters, ready to be filled in: dynamic ones and those of blocks (D20)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from dispatcher.request import Unsendable
from dispatcher.utf8 import utf8
from schemas.placeholders import PLACEHOLDERS, Kind, Placeholder
from schemas.released import Record
from schemas.sources import Value


@dataclass(frozen=True, slots=True)
class Parameter:
    """One name and where its value comes from."""

    name: str
    value: Value
    """From a Dispatch record; what a form holds."""
    kind: Kind
    """What it is in JSON."""
    omit_empty: bool
    items: Callable[[Record], list[str]] | None = None
    """Of a list: what JSON holds."""


def dynamic_parameters(action: Record) -> tuple[Parameter, ...]:
    """Of an Action record, as configured. Raises `Unsendable` for what this version lacks."""
    return tuple(_dynamic(p, action["omit_empty"]) for p in action["parameters"])


def _dynamic(parameter: Record, omit_empty: bool) -> Parameter:
    name, id_, transform = parameter["name"], parameter["placeholder"], parameter["transform"]
    omit_empty = omit_empty or parameter["omit_empty"]
    placeholder = PLACEHOLDERS.get(id_)
    if placeholder is None:
        raise Unsendable("unsupported", f"placeholder {id_!r} is unknown to this version")
    if not transform:
        return plain(placeholder, name, omit_empty)
    if transform not in _TRANSFORMS:
        raise Unsendable("unsupported", f"transform {transform!r} is unknown to this version")
    return Parameter(name, _TRANSFORMS[transform](placeholder), "text", omit_empty)


def plain(placeholder: Placeholder, name: str, omit_empty: bool) -> Parameter:
    """The placeholder's value as it is, under a name."""
    kind, items = placeholder.format.kind, placeholder.items
    return Parameter(name, placeholder.value, kind, omit_empty, items)


def _masked(placeholder: Placeholder) -> Value:
    """`****0123`: the last four characters, and none of what is shorter than five."""
    value = placeholder.value

    def masked(d: Record) -> str:
        text = value(d)
        return "****" + text[-4:] if len(text) > 4 else text and "****"

    return masked


def _hashed(placeholder: Placeholder) -> Value:
    """SHA-256 in lower-case hex: of a telephone number's E.164 form, so that it is the same however
    the number was written; of other values as UTF-8. Empty stays empty, else it could be matched.
    """
    value, e164 = placeholder.value, placeholder.e164

    def hashed(d: Record) -> str:
        text = (e164(d) if e164 else "") or value(d)
        return text and hashlib.sha256(utf8(text)).hexdigest()

    return hashed


_TRANSFORMS: dict[str, Callable[[Placeholder], Value]] = {"mask": _masked, "sha256": _hashed}

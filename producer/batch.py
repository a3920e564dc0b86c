"""Calls out of a request's body: all of them sound, or none."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import FailFast, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from schemas.call import MAX_CALL_BYTES, Call
from schemas.json_text import repaired
from schemas.released import current
from streaming.problems import Problem, errors_of

RECORD = "CallCompleted"
LISTED_FAULTS = 20
JSON = "application/json"
NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})

_ALL = TypeAdapter(Annotated[list[Call], FailFast()])
_WHERE_IN_LINE = re.compile(r"at line 1 column (\d+)$")

Fault = dict[str, str | int]


@dataclass(slots=True)
class Batch:
    """Encoded calls, ready for the topic; `size` in bytes."""

    keys: list[str] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    size: int = 0

    def __len__(self) -> int:
        return len(self.values)


def read(body: bytes, content_type: str, header: bytes, max_calls: int) -> Batch:
    """The calls of a body; `header` goes in front of each record.

    Raises `Problem`: 415 for another kind of body, 400 for what is no JSON, 413 for more than
    `max_calls`, 422 when a single call is refused.
    """
    lines = is_ndjson(content_type)
    body = body.removeprefix(codecs.BOM_UTF8)
    calls = list(_from_lines(body, max_calls)) if lines else _from_json(body, max_calls)
    _limit(len(calls), max_calls)
    batch = Batch()
    encode = current(RECORD).encode
    faults = _Faults()
    for index, call in enumerate(calls):
        value = header + encode(call.to_avro())
        if len(value) > MAX_CALL_BYTES:
            faults.too_large(index, len(value))
        batch.keys.append(call.account_id)
        batch.values.append(value)
        batch.size += len(value)
    faults.raise_any(len(calls))
    return batch


def is_ndjson(content_type: str) -> bool:
    """Whether a body of that type has a call a line; False for JSON. Raises `Problem` 415."""
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise _unsupported(f"JSON is sent as UTF-8, not {charset[1]}.")
    if kind != JSON and kind not in NDJSON:
        raise _unsupported(
            f"Send `Content-Type: {JSON}` with one call or an array of calls, or"
            f" `application/x-ndjson` with a call a line; it is {kind or 'missing'}."
        )
    return kind in NDJSON


def _unsupported(detail: str) -> Problem:
    accepted = ", ".join([JSON, *sorted(NDJSON)])
    return Problem(415, "Unsupported Media Type", detail, headers={"Accept": accepted})


def _limit(calls: int, max_calls: int) -> None:
    if calls > max_calls:
        raise Problem(
            413,
            "Content Too Large",
            f"A request may hold {max_calls:,} calls; these are {calls:,}. None was written.",
        )


def _from_json(body: bytes, max_calls: int) -> list[Call]:
    text = repaired(body)
    try:
        if text.lstrip(b" \t\r\n").startswith(b"["):
            return _ALL.validate_json(text)
        return [Call.model_validate_json(text)]
    except ValidationError as error:
        if why := _not_json(error):
            raise _malformed(why) from error
    # One call is refused, so no time is to be won any more: find all that are.
    elements = from_json(text)
    if not isinstance(elements, list):
        elements = [elements]
    _limit(len(elements), max_calls)
    return list(_each(to_json(element, inf_nan_mode="constants") for element in elements))


def _from_lines(body: bytes, max_calls: int) -> Iterator[Call]:
    numbered = [(n, line) for n, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    _limit(len(numbered), max_calls)
    return _each((repaired(line) for _, line in numbered), [number for number, _ in numbered])


def _each(texts: Iterable[bytes], lines: list[int] | None = None) -> Iterator[Call]:
    """Each call of JSON texts, one a text; `lines` are their numbers in the body."""
    faults = _Faults()
    index = -1
    for index, text in enumerate(texts):
        try:
            yield Call.model_validate_json(text)
        except ValidationError as error:
            if lines and (why := _not_json(error)):
                where = _WHERE_IN_LINE.sub(rf"at line {lines[index]} column \1", why)
                raise _malformed(where, index) from error
            faults.add(index, error)
    faults.raise_any(index + 1)


def _not_json(error: ValidationError) -> str | None:
    """What is wrong with a text that is no JSON; None when only its content is refused."""
    first: dict[str, Any] = dict(error.errors(include_url=False, include_input=False)[0])
    return str(first["ctx"]["error"]) if first["type"] == "json_invalid" else None


def _malformed(why: str, index: int = 0) -> Problem:
    fault: Fault = {"index": index, "path": "", "reason": f"is no JSON: {why}", "given": ""}
    return Problem(400, "Malformed JSON", f"{why}. No call was written.", errors=[fault])


class _Faults:
    """What is wrong with the calls of a batch: the first few, and how many calls."""

    def __init__(self) -> None:
        self._listed: list[Fault] = []
        self._refused = 0

    def add(self, index: int, error: ValidationError) -> None:
        self._refused += 1
        if len(self._listed) < LISTED_FAULTS:
            self._listed += [{"index": index, **fault} for fault in errors_of(error)]

    def too_large(self, index: int, size: int) -> None:
        self._refused += 1
        reason = f"is {size:,} bytes once encoded; a call may hold {MAX_CALL_BYTES:,}"
        self._listed.append({"index": index, "path": "", "reason": reason, "given": ""})

    def raise_any(self, calls: int) -> None:
        """Raise the `Problem` that tells of all faults, if there are any."""
        if not self._refused:
            return
        first = self._listed[0]
        place = f"call {first['index']}" + (f", {first['path']}" if first["path"] else "")
        raise Problem(
            422,
            "Invalid",
            f"{self._refused} of {calls} calls are refused and none was written;"
            f" {place}: {first['reason']}",
            refused=self._refused,
            errors=self._listed[:LISTED_FAULTS],
        )

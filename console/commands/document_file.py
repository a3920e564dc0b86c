"""A configuration document in a file, YAML or JSON, checked before it goes anywhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from console.commands.failure import Failure
from schemas.configuration import Document
from streaming.problems import errors_of

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML was built without libyaml; the same, ten times slower
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

SHOWN_FAULTS = 20
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_MERGE = "tag:yaml.org,2002:merge"


class _Loader(_SafeLoader):
    """YAML as JSON means it: keys are text as written, none stands twice, dates are text.

    So an unquoted +18005550100 keeps its plus, which as a number it would lose.
    """

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping with text keys. Raises ConstructorError, which knows the line."""
        assert isinstance(node, yaml.MappingNode)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is text", key.start_mark)
            if key.value in seen and key.tag != _MERGE:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands here twice; remove one", key.start_mark
                )
            seen.add(key.value)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in _SafeLoader.yaml_implicit_resolvers.items()
}


def read(file: str) -> bytes:
    """The document in a file (`-`: standard input) as JSON that is valid. Raises `Failure`."""
    name = "standard input" if file == "-" else file
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from error
    try:
        body = json.dumps(_parse(text, name)).encode()
    except (TypeError, ValueError, RecursionError) as error:  # a set, binary, a loop of references
        raise Failure(f"{name}: holds what JSON cannot: {error}") from error
    try:
        Document.model_validate_json(body)
    except ValidationError as error:
        raise Failure(_faults(error, name)) from error
    return body


def _parse(text: bytes, name: str) -> Any:
    # JSON is YAML too, but a hundred times quicker read as what it is.
    if text.lstrip().startswith(b"{"):
        try:
            return json.loads(text, object_pairs_hook=_distinct)
        except _Twice as error:
            raise Failure(f"{name}: {error}") from error
        except (ValueError, RecursionError):
            pass  # perhaps YAML in its flow style, which says better what is wrong
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # it is a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Failure(f"{name}: {where}{error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise Failure(f"{name}: is no YAML: {reason}") from error


class _Twice(Exception):
    pass


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Twice(f"{twice!r} stands twice in one object; remove one")
    return found


def _faults(error: ValidationError, name: str) -> str:
    lines = []
    for fault, raw in zip(errors_of(error), error.errors(include_url=False), strict=True):
        hint = ""
        if raw["type"] == "string_type" and isinstance(raw["input"], bool | int | float):
            hint = "; write it in quotes"
        given = f" (given: {fault['given']})" if fault["given"] else ""
        lines.append(f"{name}: {fault['path'] or 'the document'}: {fault['reason']}{hint}{given}")
    more = len(lines) - SHOWN_FAULTS
    if more > 0:
        lines[SHOWN_FAULTS:] = [f"and {more} more"]
    return "\n  ".join(lines)

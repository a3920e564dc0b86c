"""JSON as the outside world sends it, made fit for a strict parser (D24)."""

from __future__ import annotations

import json
import re

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_UNPAIRED = re.compile("[\ud800-\udfff]")


def repaired(text: bytes) -> bytes:
    """The same JSON with invalid UTF-8 and unpaired surrogates as U+FFFD.

    Returns the very object where nothing is wrong; text that is not JSON is left to the parser,
    whose message says where.
    """
    try:
        decoded = text.decode("utf-8")
        if not _SURROGATE_ESCAPE.search(text):
            return text
    except UnicodeDecodeError:
        decoded = text.decode("utf-8", "replace")
    try:
        value = json.loads(decoded)
    except (ValueError, RecursionError):  # not JSON, or nested too deeply for any parser of ours
        return decoded.encode()
    # Two escapes that form a pair were joined by the parser; what is left stands alone.
    return _UNPAIRED.sub("\ufffd", json.dumps(value, ensure_ascii=False)).encode()

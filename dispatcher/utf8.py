"""Text to bytes, whatever the text holds."""

from __future__ import annotations


def utf8(text: str) -> bytes:
    """UTF-8. A surrogate pair becomes its character, an unpaired surrogate U+FFFD. D24."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()

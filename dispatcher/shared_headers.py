"""Headers that are the same in all requests of an action."""

from __future__ import annotations

from typing import Final

from dispatcher.masking import secrets_of, shown_header
from schemas.binary import Writer


class SharedHeaders:
    """What is known of them before any request is made, worked out once."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.shown = {name: shown_header(name, value)[1] for name, value in headers.items()}
        """With secrets masked."""
        self.secrets = secrets_of(headers)
        """What to look for in an answer that repeats what it was sent."""
        block = Writer()
        block.texts(self.shown)
        self.shown_block = block.getvalue()
        """`shown` as a block of an Avro map."""


NONE_SHARED: Final = SharedHeaders({})

"""What numbers, pools and ad groups say, as compact as millions of them need."""

from __future__ import annotations

from router.resolve import Setting
from schemas.binary import Reader
from schemas.released import current

MAX_SHARED = 10_000
"""Different settings that are kept once, and kept read."""

Entry = int | bytes
"""Which of the shared settings, or the bytes of one that is not, which were checked."""

_SENDS = current("Routing").layout.inner[0].symbols


class Entries:
    """Most say the same few things: these are shared."""

    __slots__ = ("_indexes", "_shared")

    def __init__(self) -> None:
        self._shared: list[Setting] = []
        self._indexes: dict[bytes, int] = {}

    def known(self, body: bytes) -> Entry | None:
        """The entry for these bytes, if one was kept."""
        return self._indexes.get(body)

    def entry(self, body: bytes) -> Entry:
        """For a Routing that was checked, without its header."""
        index = self._indexes.get(body)
        if index is not None:
            return index
        if len(self._shared) >= MAX_SHARED:
            return body
        index = self._indexes[body] = len(self._shared)
        self._shared.append(_read(body))
        return index

    def setting(self, entry: Entry | None) -> Setting | None:
        """What it says."""
        if entry is None:
            return None
        return _read(entry) if isinstance(entry, bytes) else self._shared[entry]


def _read(body: bytes) -> Setting:
    """Of a Routing, its fields in the schema's order."""
    reader = Reader(body, 0)
    send = _SENDS[reader.number()]
    action_id = reader.text()
    return Setting(send, action_id, reader.text())

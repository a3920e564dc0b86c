"""`pca.endpoints` beside our dispatches: read when a partition comes, told to the event loop.

Everything here runs in the consumer's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Protocol

from schemas.codec import Codec, Undecodable
from schemas.released import Record
from streaming.config_table import ConfigTable
from streaming.settings import Settings

log = logging.getLogger(__name__)

States = dict[str, Record | None]
"""Action key → its Endpoint record; None where it was deleted."""


class Keeper(Protocol):
    """Who keeps the states, in another thread."""

    def restore(self, states: States) -> None:
        """What earlier owners wrote."""

    def drop(self, partitions: Collection[int]) -> None:
        """These are not ours any more."""


class EndpointTable:
    """Follows `pca.endpoints` as `ConfigTable` does. Only what stood there before counts: what is
    read later we wrote ourselves, for an endpoint has one owner."""

    def __init__(self, settings: Settings, topic: str, codec: Codec, keeper: Keeper) -> None:
        self._codec = codec
        self._keeper = keeper
        self._states: States = {}
        self._table = ConfigTable(settings, topic, self, "endpoints")

    def follow(self, partitions: Collection[int]) -> None:
        """From now on these partitions."""
        self._table.follow(partitions)

    def loading(self) -> Collection[int]:
        """Partitions whose dispatches must wait."""
        return self._table.loading()

    def poll(self) -> None:
        """Read on; hand over what has been read."""
        self._table.poll()
        if self._states:
            states, self._states = self._states, {}
            self._keeper.restore(states)

    def close(self) -> None:
        """Stop following."""
        self._table.close()

    def apply(self, partition: int, key: bytes, value: bytes | None) -> None:
        """See `streaming.config_table.Table`."""
        if partition not in self._table.loading():
            return
        try:
            record = None if value is None else self._codec.decode(value, "Endpoint")
            self._states[key.decode()] = record
        except (Undecodable, UnicodeDecodeError) as fault:
            # Without it the endpoint counts as well, and shows soon whether it is.
            log.warning("state of an endpoint cannot be read: %s", fault)

    def drop(self, partition: int) -> None:
        """See `streaming.config_table.Table`."""
        self._keeper.drop([partition])

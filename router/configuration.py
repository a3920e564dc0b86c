"""The accounts of the partitions that a router owns, as compact as millions of numbers need.

Values are checked when they come, and stay as the bytes they came in until a call asks for them.
"""

from __future__ import annotations

import logging
from typing import Any

from router.entries import Entries, Entry
from router.numbers import Numbers, look_up
from router.parts import AccountPart, account_part, action_part
from router.resolve import Action, Conditions, Configured, Decided, Setting, decide
from schemas.codec import Codec, decode_body
from schemas.released import Record, Schema, current
from streaming import metrics
from streaming.partitions import partition_of

log = logging.getLogger(__name__)

_ROUTING = current("Routing")


class Account(Configured):
    """What is configured for one account."""

    __slots__ = (
        "_action_bodies", "_actions", "_ad_groups", "_decided", "_decided_revised", "_entries",
        "_id", "_pools", "numbers", "part",
    )  # fmt: skip

    def __init__(self, id_: str, entries: Entries) -> None:
        self._id = id_
        self._entries = entries
        self.part: AccountPart | None = None
        """None while the account itself is unknown or deleted. Its version is that of the account's
        whole configuration: every change comes with a new one (D9)."""
        self._action_bodies: dict[str, bytes] = {}
        self._actions: tuple[Action, ...] | None = None  # read when first asked for
        self.numbers = Numbers()
        self._pools: dict[str, Entry] = {}
        self._ad_groups: dict[str, Entry] = {}
        self._decided: dict[str, Decided] = {}
        self._decided_revised: dict[str, Decided] = {}

    @property
    def actions(self) -> tuple[Action, ...]:
        """The account's actions."""
        if self._actions is None:
            self._actions = tuple(_action(self._id, body) for body in self._action_bodies.values())
        return self._actions

    def number(self, e164: str) -> Setting | None:
        """What the number says; None when it was never configured, as is none that is no number."""
        return self._entries.setting(self.numbers.get(e164))

    def pool(self, id_: str) -> Setting | None:
        """What the SourceTrak pool says."""
        return self._entries.setting(self._pools.get(id_))

    def ad_group(self, id_: str) -> Setting | None:
        """What the Call Extensions ad group says."""
        return self._entries.setting(self._ad_groups.get(id_))

    def decided(self, setting: Setting, *, revised: bool) -> Decided:
        """`resolve.decide` for these actions, remembered until one changes."""
        decided = self._decided_revised if revised else self._decided
        known = decided.get(setting.rule)
        if known is None:
            known = decided[setting.rule] = decide(self.actions, setting, revised=revised)
        return known

    def is_empty(self) -> bool:
        """True when nothing is left of it."""
        return self.part is None and not (
            self._action_bodies or self.numbers or self._pools or self._ad_groups
        )

    def change_features(self, record: Record | None) -> None:
        """A new state of the account itself, its Account record; None for a deleted one."""
        self.part = None if record is None else account_part(self._id, record)

    def change_action(self, id_: str, body: bytes | None) -> None:
        """A new state of an action, as its record's bytes; None for a deleted one."""
        _put(self._action_bodies, id_, body)
        self._actions = None
        self._decided.clear()
        self._decided_revised.clear()

    def change(self, kind: str, id_: str, entry: Entry | None) -> None:
        """A new setting of a number, pool or ad group; None for a deleted one.

        Raises ValueError for another kind, or a number that is none.
        """
        if kind == "number":
            if entry is None:
                self.numbers.remove(id_)
            else:
                self.numbers.put(id_, entry)
        elif kind == "pool":
            _put(self._pools, id_, entry)
        elif kind == "ad_group":
            _put(self._ad_groups, id_, entry)
        else:
            raise ValueError(f"{kind!r} is none of account, action, number, pool, ad_group")


def _put(table: dict[Any, Any], key: Any, value: Any) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def _action(account_id: str, body: bytes) -> Action:
    record = decode_body(body, 0, current("Action"))
    return Action(
        action_id=record["action_id"],
        name=record["name"],
        active=record["active"],
        all_calls=record["scope"] == "all_calls",
        revisions=record["revisions"],
        part=action_part(account_id, record["action_id"], record["version"], body),
        conditions=conditions_of(record["conditions"]),
    )


def conditions_of(record: Record | None) -> Conditions | None:
    """None also for a record that asks nothing: then no call is asked either."""
    if record is None:
        return None
    conditions = Conditions(
        minimum_talk_seconds=record["minimum_talk_seconds"] or None,
        call_types=frozenset(word.casefold() for word in record["call_types"]),
        qualified=record["qualified"],
        pool_ids=frozenset(record["pool_ids"]),
        tags=frozenset(record["tags"]),
    )
    return None if conditions == Conditions() else conditions


class Configuration:
    """All accounts, by the partition that their configuration and their calls lie in.

    An account has one of them, so what lies in another is from a time when there were fewer, and is
    passed over.
    """

    def __init__(self, codec: Codec, partitions: int) -> None:
        """`partitions`: how many there are."""
        self._codec = codec
        self._count = partitions
        self._partitions: dict[int, dict[str, Account]] = {}
        self._entries = Entries()

    def account(self, partition: int, account_id: str) -> Account | None:
        """The account, when it is known, not deleted, and of that partition."""
        accounts = self._partitions.get(partition)
        account = None if accounts is None else accounts.get(account_id)
        return None if account is None or account.part is None else account

    def numbers(self, accounts: list[Account], numbers: list[str]) -> list[Setting | None]:
        """What each number says in the account in its place: `Account.number` of many at once."""
        found = look_up([account.numbers for account in accounts], numbers)
        return [self._entries.setting(entry) for entry in found]

    def drop(self, partition: int) -> None:
        """Forget the partition."""
        self._partitions.pop(partition, None)

    def apply(self, partition: int, key: bytes, value: bytes | None) -> None:
        """A record of `pca.config`; what cannot be read leaves the older state in force."""
        try:
            account_id, kind, id_ = key.decode().split("/", 2)
            self._change(partition, account_id, kind, id_, value)
        except ValueError as error:  # Undecodable and UnicodeDecodeError among them
            metrics.CONFIG_UNREADABLE.inc()
            log.error(
                "a configuration record cannot be read; the older one stays in force:"
                " run `pca config republish`",
                extra={"key": key.decode("utf-8", "replace"), "reason": str(error)},
            )

    def _change(
        self, partition: int, account_id: str, kind: str, id_: str, value: bytes | None
    ) -> None:
        accounts = self._partitions.setdefault(partition, {})
        account = accounts.get(account_id)
        if account is None:
            if value is None or partition_of(account_id, self._count) != partition:
                return
            account = Account(account_id, self._entries)
        if kind == "account":
            account.change_features(None if value is None else self._codec.decode(value, "Account"))
        elif kind == "action":
            account.change_action(id_, None if value is None else self._action_body(value))
        else:
            account.change(kind, id_, None if value is None else self._entry(value))
        if value is None and account.is_empty():
            del accounts[account_id]
        else:
            accounts[account_id] = account

    def _action_body(self, value: bytes) -> bytes:
        """An Action's. Raises `Undecodable`."""
        writer, start = self._codec.split(value, "Action")
        return _body(value, start, writer)

    def _entry(self, value: bytes) -> Entry:
        """Of a Routing. Raises `Undecodable`."""
        writer, start = self._codec.split(value, "Routing")
        if writer is _ROUTING and (known := self._entries.known(value[start:])) is not None:
            return known
        return self._entries.entry(_body(value, start, writer))


def _body(value: bytes, start: int, writer: Schema) -> bytes:
    """A record without its header, in the current release's shape. Raises `Undecodable`.

    Everything is read once here, so that garbage is refused now and not when a call needs it.
    """
    record = decode_body(value, start, writer)
    reader = current(writer.name)
    return value[start:] if writer is reader else reader.encode(record)

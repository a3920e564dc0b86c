"""Which Post Call Actions run for a call, and why: D1 to D11 of the decisions, as pure functions.

The router runs it for every call; the console explains with the very same functions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from schemas.released import Record


@dataclass(frozen=True, slots=True)
class Action:
    """What routing needs of an action."""

    action_id: str
    name: str
    active: bool
    all_calls: bool
    """Scope All Calls; else Configured Numbers Only."""
    revisions: bool
    """Runs for later corrections of a call too."""
    version: int
    body: bytes
    """The Action record's bytes, current release, to be carried along in dispatches."""


@dataclass(frozen=True, slots=True)
class Setting:
    """ "Send Post Call Data for": of a number, a pool or an ad group."""

    send: str
    """`account_wide`, `specific`, `none` or `inherit`."""
    action_id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether one action runs for the call, and the rule that says so."""

    action: Action
    runs: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """Everything that was decided for a call."""

    source: str
    """Whose setting counts: `ad_group`, `pool`, `number` or `default` (nothing configured)."""
    source_id: str
    send: str
    action_id: str
    label: str
    """The Phone Label configured for the called number; empty where there is none."""
    decisions: tuple[Decision, ...]
    """One for every action of the account, in the order they were configured."""

    def summary(self) -> str:
        """One sentence about the setting that counted."""
        whose = {
            "ad_group": f"ad group {self.source_id}",
            "pool": f"SourceTrak pool {self.source_id}",
            "number": f"number {self.source_id}",
            "default": "no setting for this call's number, pool or ad group",
        }[self.source]
        what = {
            "account_wide": "account-wide Post Call Actions",
            "specific": f"the specific Post Call Action {self.action_id}",
            "none": "no Post Call Actions",
        }[self.send]
        sentence = f"{whose}: {what}"
        if self.send == "specific":
            named = [d for d in self.decisions if d.action.action_id == self.action_id]
            if not named:
                sentence += ", which does not exist (any more), so nothing runs"  # D3
            elif not named[0].runs:
                sentence += ", which does not run, so nothing does"  # D3
        return sentence


class Configured(Protocol):
    """What `resolve` asks of an account."""

    def number(self, e164: str) -> Setting | None:
        """The setting of a number in E.164; None for one never configured, or the empty one."""

    def pool(self, id_: str) -> Setting | None:
        """The setting of a SourceTrak pool."""

    def ad_group(self, id_: str) -> Setting | None:
        """The setting of a Call Extensions ad group."""

    def decisions(self, send: str, action_id: str, *, revised: bool) -> tuple[Decision, ...]:
        """`decide` for the account's actions."""


def resolve(call: Record, account: Configured) -> Resolution:
    """What runs for a CallCompleted record; only its leading fields are looked at.

    Only the *called* number's setting counts, whatever the call's direction (D6).
    """
    e164 = call["called_e164"]
    number = account.number(e164) if e164 else None
    label = number.label if number is not None else ""
    source, source_id, setting = _setting_for(call, account, number)
    return Resolution(
        source=source,
        source_id=source_id,
        send=setting.send,
        action_id=setting.action_id,
        label=label,
        decisions=account.decisions(setting.send, setting.action_id, revised=call["revision"] > 0),
    )


_ACCOUNT_WIDE = Setting("account_wide")


def _setting_for(
    call: Record, account: Configured, number: Setting | None
) -> tuple[str, str, Setting]:
    """Ad group, then pool, then number, then account-wide; `inherit` falls through. D4, D7, D8."""
    if id_ := call["ad_group_id"]:
        setting = account.ad_group(id_)
        if setting is not None and setting.send != "inherit":
            return "ad_group", id_, setting
    if id_ := call["pool_id"]:
        setting = account.pool(id_)
        if setting is not None and setting.send != "inherit":
            return "pool", id_, setting
    if number is not None and number.send != "inherit":
        return "number", call["called_e164"], number
    return "default", "", _ACCOUNT_WIDE


def decide(
    actions: Iterable[Action], send: str, action_id: str, *, revised: bool
) -> tuple[Decision, ...]:
    """Whether each action runs under a setting. `revised`: the call is a later correction."""
    return tuple(
        Decision(action, *_verdict(action, send, action_id, revised=revised)) for action in actions
    )


def _verdict(action: Action, send: str, action_id: str, *, revised: bool) -> tuple[bool, str]:
    if send == "none":
        return False, "the setting is No Post Call Actions"  # D5
    if send == "specific" and action.action_id != action_id:
        return False, "the setting names another specific Post Call Action"  # D2
    if not action.active:
        return False, "it is not active"  # D3, D4
    if send == "account_wide" and not action.all_calls:
        return False, "its scope is Configured Numbers Only, and no setting names it"  # D1
    if revised and not action.revisions:
        return False, "the call is a correction, and it does not ask for revisions"  # D11
    if send == "specific":
        return True, "the setting names it"  # D2
    return True, "it is active and its scope is All Calls"  # D4

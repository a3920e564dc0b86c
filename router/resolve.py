"""Which Post Call Actions run for a call, and why: D1 to D11 of the decisions, as pure functions.

Conditions of an action are judged after these rules, and only for actions that have some. The
router runs it for every call; the console explains with the very same functions.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from mypy_extensions import mypyc_attr

from router.calls import RoutedCall
from router.parts import ActionPart
from schemas.released import Record

_QUALIFIED = {
    "source": ("source_qualified",),
    "destination": ("destination_qualified",),
    "both": ("source_qualified", "destination_qualified"),
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must all be true of a call for an action to run; what is None or empty is not asked."""

    minimum_talk_seconds: int | None = None
    call_types: frozenset[str] = frozenset()
    """Casefolded."""
    qualified: str = ""
    """`source`, `destination` or `both`; a word that a later version wrote is never met."""
    pool_ids: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    @property
    def asks_leadflow(self) -> bool:
        """Whether it looks at a call's `leadflow`, which is not among the leading fields."""
        return bool(self.qualified or self.tags)

    def unmet(self, call: Record) -> str | None:
        """The reason of the first that a CallCompleted record does not meet; None when all are.

        Talk seconds that the call does not have count as 0, flags that it does not have as false.
        """
        minimum = self.minimum_talk_seconds
        if minimum is not None and (call["talk_seconds"] or 0) < minimum:
            return "its conditions ask for more talk seconds"
        if self.call_types and call["call_type"].casefold() not in self.call_types:
            return "its conditions ask for another call type"
        if self.qualified and not self._is_qualified(call["leadflow"]):
            return "its conditions ask for a qualified call"
        if self.pool_ids and call["pool_id"] not in self.pool_ids:
            return "its conditions ask for another pool"
        if self.tags and (call["leadflow"] is None or call["leadflow"]["tag"] not in self.tags):
            return "its conditions ask for another tag"
        return None

    def _is_qualified(self, leadflow: Record | None) -> bool:
        flags = _QUALIFIED.get(self.qualified)
        return bool(leadflow and flags and all(leadflow[flag] is True for flag in flags))


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
    part: ActionPart
    """What it gives to its dispatches."""
    conditions: Conditions | None = None


class Setting:
    """ "Send Post Call Data for": of a number, a pool or an ad group."""

    __slots__ = ("action_id", "label", "rule", "send")

    def __init__(self, send: str, action_id: str = "", label: str = "") -> None:
        """`send`: `account_wide`, `specific`, `none` or `inherit`."""
        self.send = send
        self.action_id = action_id
        self.label = label
        self.rule = action_id if send == "specific" else f"/{send}"
        """The same for settings that have the same actions run: no action's id has a slash."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether one action runs for the call, and the rule that says so."""

    action: Action
    runs: bool
    reason: str


class Decided:
    """What the rules say of all actions: the same for every call under the same setting."""

    __slots__ = ("_actions", "_asked", "_call", "_revised", "_running", "_setting", "running")

    def __init__(
        self,
        actions: tuple[Action, ...],
        setting: Setting,
        revised: bool,
        running: tuple[Action, ...],
        call: Record | None = None,
    ) -> None:
        """`running`: those of the actions that run; by their conditions too where there is a
        `call`, which else has to be asked for each."""
        self._actions = actions
        self._setting = setting
        self._revised = revised
        self._running = running
        self._call = call
        self._asked = call is None and any(each.conditions is not None for each in running)
        self.running = tuple(each.part for each in running)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """One for every action of the account, in the order of configuration. Made when asked for:
        an account has a rule for each of its actions, and what runs is all that routing needs."""
        return tuple(self._decision(action) for action in self._actions)

    def _decision(self, action: Action) -> Decision:
        runs, reason = _verdict(action, self._setting, revised=self._revised)
        if runs and self._call is not None and action.conditions is not None:
            unmet = action.conditions.unmet(self._call)
            if unmet is not None:
                return Decision(action, False, unmet)
        return Decision(action, runs, reason)

    def for_call(self, call: RoutedCall) -> Decided:
        """With the actions' conditions judged: these very ones where none has any. Raises
        `Undecodable` for a call that cannot be read."""
        if not self._asked:
            return self
        asked = [each.conditions for each in self._running if each.conditions is not None]
        record = call.record(whole=any(each.asks_leadflow for each in asked))
        met = tuple(
            each
            for each in self._running
            if each.conditions is None or each.conditions.unmet(record) is None
        )
        return Decided(self._actions, self._setting, self._revised, met, record)


@mypyc_attr(acyclic=True, free_list_len=1)
class Resolution:
    """Everything that was decided for a call."""

    __slots__ = ("_decided", "label", "setting", "source", "source_id")

    def __init__(
        self, source: str, source_id: str, setting: Setting, label: str, decided: Decided
    ) -> None:
        """`source`: whose setting counts: `ad_group`, `pool`, `number` or `default` (nothing
        configured); `label`: the Phone Label configured for the called number, empty where there is
        none."""
        self.source = source
        self.source_id = source_id
        self.setting = setting
        self.label = label
        self._decided = decided

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """One for every action of the account, in the order of configuration."""
        return self._decided.decisions

    @property
    def running(self) -> tuple[ActionPart, ...]:
        """Of those that run."""
        return self._decided.running

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
            "specific": f"the specific Post Call Action {self.setting.action_id}",
            "none": "no Post Call Actions",
        }[self.setting.send]
        sentence = f"{whose}: {what}"
        if self.setting.send == "specific":
            named = [d for d in self.decisions if d.action.action_id == self.setting.action_id]
            if not named:
                sentence += ", which does not exist (any more), so nothing runs"  # D3
            elif not named[0].runs:
                sentence += ", which does not run, so nothing does"  # D3
        return sentence


@mypyc_attr(allow_interpreted_subclasses=True)
class Configured:
    """What `resolve` asks of an account. A protocol's methods would be looked up by their names."""

    __slots__ = ()

    @abstractmethod
    def pool(self, id_: str) -> Setting | None:
        """The setting of a SourceTrak pool."""

    @abstractmethod
    def ad_group(self, id_: str) -> Setting | None:
        """The setting of a Call Extensions ad group."""

    @abstractmethod
    def decided(self, setting: Setting, *, revised: bool) -> Decided:
        """`decide` for the account's actions."""


def resolve(call: RoutedCall, account: Configured, number: Setting | None) -> Resolution:
    """What runs for a call. Raises `Undecodable` where conditions cannot read it.

    `number`: the setting of the *called* number, None for one never configured. Only that counts,
    whatever the call's direction (D6).
    """
    label = number.label if number is not None else ""
    source, source_id, setting = _setting_for(call, account, number)
    decided = account.decided(setting, revised=call.revision > 0)
    return Resolution(source, source_id, setting, label, decided.for_call(call))


_ACCOUNT_WIDE = Setting("account_wide")


def _setting_for(
    call: RoutedCall, account: Configured, number: Setting | None
) -> tuple[str, str, Setting]:
    """Ad group, then pool, then number, then account-wide; `inherit` falls through. D4, D7, D8."""
    if id_ := call.ad_group_id:
        setting = account.ad_group(id_)
        if setting is not None and setting.send != "inherit":
            return "ad_group", id_, setting
    if id_ := call.pool_id:
        setting = account.pool(id_)
        if setting is not None and setting.send != "inherit":
            return "pool", id_, setting
    if number is not None and number.send != "inherit":
        return "number", call.called_e164, number
    return "default", "", _ACCOUNT_WIDE


def decide(actions: tuple[Action, ...], setting: Setting, *, revised: bool) -> Decided:
    """Whether each action runs under a setting. `revised`: the call is a later correction."""
    running = tuple(each for each in actions if _verdict(each, setting, revised=revised)[0])
    return Decided(actions, setting, revised, running)


def _verdict(action: Action, setting: Setting, *, revised: bool) -> tuple[bool, str]:
    send = setting.send
    if send == "none":
        return False, "the setting is No Post Call Actions"  # D5
    if send == "specific" and action.action_id != setting.action_id:
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

"""What the demo configures, which calls it makes, and the requests that must come of them.

Pure data and functions. What is expected is written down here by hand, from the product document
and its decisions (D1 to D58), and computed by none of the code that routes or renders: the demo is
a check, and a check that asks the checked is none. Everybody in it is invented.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from console.demo.accounts import (
    ACME,
    ACTIONS,
    DEAD_END,
    DESK,
    DESK_ONE,
    LABEL,
    LAKE,
    NOBODY,
    NONE,
    ONE,
    PLAIN,
    POOLED,
    WIDE,
    Pairs,
)

NAMESPACE = UUID("6f1c3c1e-5f0b-5d0a-9a3e-0c5f3a1d7b42")
"""Of dispatch ids, as docs/topics-and-guarantees.md publishes it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A request that must arrive."""

    action: str
    method: str
    path: str
    static: str
    """The start of the query, byte for byte as configured (D21)."""
    query: Pairs
    """All of the query, decoded, static parameters first (D20)."""
    body: Pairs
    """The form body, decoded; empty for GET."""
    webhook_id: str
    times: int = 1
    """2 where the receiver answers 500 to the first."""


@dataclass(frozen=True, slots=True)
class Story:
    """One call (two where it is corrected), what it must lead to, and what it must not."""

    kind: str
    calls: tuple[dict[str, Any], ...]
    expected: tuple[Expected, ...]
    not_run: tuple[tuple[str, str], ...]
    """(action, why it does not run)."""


# By hand: (talk seconds, intelligent seconds, Talk Minutes, rounded, Call Duration) D43, D44.
LENGTHS = (
    (61, 34, "1.1", "2", "2"), (0, 0, "0.0", "0", "0"), (60, 0, "1.0", "1", "1"),
    (61, 61, "1.1", "2", "3"), (6, 1, "0.1", "1", "1"), (7, 53, "0.2", "1", "1"),
    (599, 2, "10.0", "10", "11"), (3601, 59, "60.1", "61", "61"),
)  # fmt: skip

# By hand: (start, Date/Time in Eastern time, ISO 8601), around both clock changes too. D40.
TIMES = (
    ("2026-07-01T14:03:22Z", "2026-07-01 10:03:22", "2026-07-01T10:03:22-04:00"),
    ("2026-01-15T03:00:00+01:00", "2026-01-14 21:00:00", "2026-01-14T21:00:00-05:00"),
    ("2026-03-08T06:59:59Z", "2026-03-08 01:59:59", "2026-03-08T01:59:59-05:00"),
    ("2026-03-08T07:00:00Z", "2026-03-08 03:00:00", "2026-03-08T03:00:00-04:00"),
    ("2026-11-01T05:30:00Z", "2026-11-01 01:30:00", "2026-11-01T01:30:00-04:00"),
    ("2026-11-01T06:30:00Z", "2026-11-01 01:30:00", "2026-11-01T01:30:00-05:00"),
    ("2026-12-31T23:59:59.999Z", "2026-12-31 18:59:59", "2026-12-31T18:59:59-05:00"),
)

# By hand: (as the producer has it, as it is sent) D41.
CALLERS: tuple[tuple[str | None, str], ...] = (
    ("+13125550123", "3125550123"), ("(312) 555-0124", "3125550124"),
    ("anonymous", "anonymous"), ("+442079460123", "442079460123"), (None, ""),
    ("sip:ada@example.com", "sip:ada@example.com"),
)  # fmt: skip

SURNAMES = ("Ray", "O'Neil", "Müller & Söhne", "1% + 2; = 3", "Łukasz 🦷", " de la Cruz ", "山田")


class _Numbered:
    """The facts of the n-th call, and what they look like in a request."""

    def __init__(self, account: str, n: int) -> None:
        self.account = account
        self.sid = f"demo-{n:04d}"
        # Each kind of call meets every length, time, caller and name in turn.
        n = n // len(KINDS) + n % len(KINDS)
        self.talk, self.waited, self.mins, self.rounded, self.total = LENGTHS[n % len(LENGTHS)]
        self.start, self.when, self.iso = TIMES[n % len(TIMES)]
        self.caller, self.shown_caller = CALLERS[n % len(CALLERS)]
        self.surname = SURNAMES[n % len(SURNAMES)]

    def call(self, call_type: str, **more: Any) -> dict[str, Any]:
        """The call as the gateway takes it."""
        return {
            "account_id": self.account,
            "sid": self.sid,
            "started_at": self.start,
            "call_type": call_type,
            "caller_id": self.caller,
            "talk_seconds": self.talk,
            "intelligent_seconds": self.waited,
            "all_actions": ["Virtual Receptionist", "Find Me"],
            "last_action": "Find Me",
            "lookup": {"last_name": self.surname},
            **more,
        }

    def request(self, action_id: str, *values: str, revision: int = 0, times: int = 1) -> Expected:
        """What the action must send: `values` in the order of its parameters after the sid."""
        action = ACTIONS[action_id]
        names = [name for name, _ in action.parameters]
        dynamic = tuple(zip(names, (self.sid, *values), strict=True))
        static = _STATIC[action_id]
        webhook_id = uuid5(NAMESPACE, f"{self.account}\n{self.sid}\n{revision}\n{action_id}")
        return Expected(
            action_id,
            action.method,
            action.path,
            action.static,
            static + dynamic if action.method == "GET" else static,  # D22, D23
            () if action.method == "GET" else dynamic,
            str(webhook_id),
            times,
        )


# What the static parameters mean, decoded by hand.
_STATIC: dict[str, Pairs] = dict.fromkeys(ACTIONS, ()) | {
    "crm": (("client_id", "1234"), ("token", "a/b c")),
    "warehouse": (("source", "calls"),),
    "frontdesk": (("desk", "1"),),
}

_STEPS = "Virtual Receptionist|Find Me"
_INACTIVE = "it is not active"
_BY_NAME_ONLY = "its scope is Configured Numbers Only, and no setting names it"
_OTHER = "the setting names another action, and that one only"
_SILENT = "the number says: No Post Call Actions"

Outcome = tuple[list[dict[str, Any]], list[Expected], Pairs]


def _acme_wide(n: _Numbered, type_: str, to: str, label: str, click: str) -> list[Expected]:
    """Both All Calls actions of Acme."""
    return [
        n.request("crm", n.when, type_, n.shown_caller, to, label, n.mins, n.surname),
        n.request("warehouse", n.iso, _STEPS, n.total, n.rounded, click, ""),
    ]


_ACME_WIDE_NOT = (("sales", _BY_NAME_ONLY), ("spring", _BY_NAME_ONLY), ("retired", _INACTIVE))
_ACME_ALL = ("crm", "warehouse", "sales", "spring", "retired")
_LAKE_ALL = ("frontdesk", "ledger", "audit")


def _but(actions: tuple[str, ...], runs: str, why: str) -> Pairs:
    return tuple((action, why) for action in actions if action != runs)


def _account_wide(i: int) -> Outcome:
    n = _Numbered(ACME, i)
    call = n.call("inbound", called_number=WIDE, phone_label="not this one: the number has its own")
    return [call], _acme_wide(n, "Inbound", "8005550100", "Yellow pages", ""), _ACME_WIDE_NOT


def _never_configured(i: int) -> Outcome:
    n = _Numbered(ACME, i)
    call = n.call("inbound", called_number="1 (800) 555-0103", phone_label="from the call")
    return [call], _acme_wide(n, "Inbound", "8005550103", "from the call", ""), _ACME_WIDE_NOT


def _outbound(i: int) -> Outcome:
    n = _Numbered(ACME, i)
    call = n.call("outbound", called_number="+442079460999") | {"caller_id": NONE}
    n.shown_caller = "8005550102"
    return [call], _acme_wide(n, "Outbound", "442079460999", "", ""), _ACME_WIDE_NOT


def _click_to(i: int) -> Outcome:
    n = _Numbered(ACME, i)
    text = "Call us! 50% off; a&b=c + 🏠"
    call = n.call("click-to", click_id="c-1", click_description=text)
    return [call], _acme_wide(n, "Click-To", "", "", text), _ACME_WIDE_NOT


def _pool_falls_through(i: int) -> Outcome:
    n = _Numbered(ACME, i)
    trak = {"pool_id": "summer-seo", "pool_type": "seo"}
    call = n.call("inbound", called_number=WIDE, sourcetrak=trak)
    return [call], _acme_wide(n, "Inbound", "8005550100", "Yellow pages", ""), _ACME_WIDE_NOT


def _specific(i: int) -> Outcome:
    n = _Numbered(ACME, i)
    desk = {"agent_name": 'Lee; "the" <best>', "queue_hold_seconds": 0}
    call = n.call("inbound", called_number=ONE, distributor=desk)
    sent = n.request("sales", LABEL, 'Lee; "the" <best>', "0", n.mins)
    not_run = _but(_ACME_ALL, "sales", _OTHER)
    return [call], [sent], not_run


def _no_actions(i: int) -> Outcome:
    n = _Numbered(ACME, i)
    return [n.call("inbound", called_number=NONE)], [], _but(_ACME_ALL, "", _SILENT)


def _specific_inactive(i: int) -> Outcome:
    n = _Numbered(ACME, i)
    not_run: Pairs = (("retired", _INACTIVE + ", and there is no fallback"),)
    not_run += _but(_ACME_ALL, "retired", _OTHER)
    return [n.call("inbound", called_number=DEAD_END)], [], not_run


def _pool_wins(i: int) -> Outcome:
    n = _Numbered(ACME, i)
    trak = {"pool_id": "spring-ppc", "pool_type": "ppc"}
    call = n.call("inbound", called_number=POOLED, sourcetrak=trak)
    sent = n.request("spring", n.shown_caller, "8005550105")
    return [call], [sent], _but(_ACME_ALL, "spring", _OTHER)


def _desk(i: int) -> Outcome:
    n = _Numbered(LAKE, i)
    call = n.call("inbound", called_number=DESK, recording_seconds=n.talk)
    # No Reverse Lookup here, so the name stays empty though the call has one (D50).
    sent = [
        n.request("frontdesk", n.shown_caller, str(n.talk), "", times=2 if is_uneasy(n.sid) else 1),
        n.request("ledger", n.total),
    ]
    return [call], sent, (("audit", _BY_NAME_ONLY),)


def _specific_all_calls(i: int) -> Outcome:
    n = _Numbered(LAKE, i)
    call = n.call("inbound", called_number=DESK_ONE)
    return [call], [n.request("ledger", n.total)], _but(_LAKE_ALL, "ledger", _OTHER)


def _ad_group_first(i: int) -> Outcome:
    n = _Numbered(LAKE, i)
    trak = {"pool_id": "smiles", "pool_type": "ppc"}
    call = n.call("inbound", called_number=DESK, ad_group_id="ad-7", sourcetrak=trak)
    return [call], [n.request("audit", "Find Me")], _but(_LAKE_ALL, "audit", _OTHER)


def _correction(i: int) -> Outcome:
    n = _Numbered(LAKE, i)
    first = n.call("inbound", called_number=PLAIN)
    times = 2 if is_uneasy(n.sid) else 1
    sent = [
        n.request("frontdesk", n.shown_caller, "", "", times=times),
        n.request("ledger", n.total),
        n.request("ledger", n.total, revision=1),
    ]
    second = first | {"revision": 1, "recording_seconds": 30}
    not_run = (
        ("frontdesk", "(revision 1) it does not ask for revisions"),
        ("audit", _BY_NAME_ONLY),
    )
    return [first, second], sent, not_run


def _unknown_account(i: int) -> Outcome:
    n = _Numbered(NOBODY, i)
    why = (("nothing", "no such account: the call is kept in pca.unrouted"),)
    return [n.call("inbound", called_number=WIDE)], [], why


KINDS: tuple[tuple[str, Callable[[int], Outcome]], ...] = (
    ("number on Account-Wide", _account_wide),
    ("number never configured", _never_configured),
    ("outbound call", _outbound),
    ("click-to call, no called number", _click_to),
    ("pool without a setting of its own", _pool_falls_through),
    ("number on a specific action", _specific),
    ("number on No Post Call Actions", _no_actions),
    ("number on an action not active", _specific_inactive),
    ("pool against its number: pool wins", _pool_wins),
    ("another account, Account-Wide", _desk),
    ("specific action of scope All Calls", _specific_all_calls),
    ("ad group, then pool, then number", _ad_group_first),
    ("a call and its correction", _correction),
    ("account nobody knows", _unknown_account),
)


def is_uneasy(sid: str) -> bool:
    """Whether the receiver answers 500 to the first request for this call (action `UNEASY`)."""
    return int(sid[-4:]) % 3 == 0


def stories(count: int = 300) -> list[Story]:
    """`count` stories, the kinds in turn; a call's values go round by its number."""
    told = []
    for i in range(count):
        kind, tell = KINDS[i % len(KINDS)]
        calls, expected, not_run = tell(i)
        told.append(Story(kind, tuple(calls), tuple(expected), not_run))
    return told

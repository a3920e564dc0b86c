"""What the demo configures: two accounts, their actions, numbers, pools and an ad group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Pairs = tuple[tuple[str, str], ...]

ACME, LAKE, NOBODY = "acme-roofing", "lakeside-dental", "gone-and-forgotten"


@dataclass(frozen=True, slots=True)
class Action:
    """An action of the demo, as configured."""

    id: str
    account: str
    method: str
    scope: str
    static: str
    parameters: Pairs
    """(name, placeholder)."""
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/{self.account}/{self.id}"


ACTIONS = {
    action.id: action
    for action in (
        Action("crm", ACME, "GET", "all_calls", "client_id=1234&token=a%2Fb+c", (
            ("sid", "sid"), ("when", "date_time"), ("type", "call_type"), ("from", "caller_id"),
            ("to", "called_number"), ("label", "phone_label"), ("mins", "talk_minutes"),
            ("name", "lookup_last_name"),
        )),
        Action("warehouse", ACME, "POST", "all_calls", "source=calls", (
            ("sid", "sid"), ("iso", "date_time_iso"), ("steps", "all_actions"),
            ("total", "call_duration"), ("rounded", "rounded_talk_minutes"),
            ("click", "click_description"), ("status", "call_transfer_status"),
        )),
        Action("sales", ACME, "POST", "configured_numbers_only", "", (
            ("sid", "sid"), ("label", "phone_label"), ("agent", "call_distributor_agent_name"),
            ("waited", "call_distributor_queue_hold_time"), ("mins", "talk_minutes"),
        )),
        Action("spring", ACME, "GET", "configured_numbers_only", "", (
            ("sid", "sid"), ("from", "caller_id"), ("to", "called_number"),
        )),
        Action("retired", ACME, "GET", "all_calls", "", (("sid", "sid"),), {"active": False}),
        Action("frontdesk", LAKE, "POST", "all_calls", "desk=1", (
            ("sid", "sid"), ("from", "caller_id"), ("recorded", "recording_duration"),
            ("name", "lookup_last_name"),
        )),
        Action("ledger", LAKE, "GET", "all_calls", "", (
            ("sid", "sid"), ("total", "call_duration"),
        ), {"revisions": True}),
        Action("audit", LAKE, "POST", "configured_numbers_only", "", (
            ("sid", "sid"), ("last", "last_action"),
        )),
    )
}  # fmt: skip

UNEASY = "frontdesk"
"""The receiver answers 500 to the first request for some calls of this action."""

WIDE, ONE, NONE, BARE, DEAD_END, POOLED = (f"+1800555010{digit}" for digit in range(6))
DESK, DESK_ONE, PLAIN = "+13125550120", "+13125550121", "+13125550122"
LABEL = "Sales & Service; 100% + more 📞"


def document(base: str) -> dict[str, Any]:
    """The configuration, for `/v1/apply`; requests go to `base`, e.g. `http://127.0.0.1:9000`."""

    def actions(account: str) -> list[dict[str, Any]]:
        return [
            {
                "id": action.id,
                "name": action.id.capitalize(),
                "scope": action.scope,
                "method": action.method,
                "target_url": base + action.path + ("?" if action.static else "") + action.static,
                "parameters": [{"name": n, "placeholder": p} for n, p in action.parameters],
                **action.more,
            }
            for action in ACTIONS.values()
            if action.account == account
        ]

    acme = {
        "id": ACME,
        "name": "Acme Roofing",
        "reverse_lookup_enabled": True,
        "actions": actions(ACME),
        "numbers": {
            WIDE: {"send": "account_wide", "label": "Yellow pages"},
            ONE: {"send": "specific", "action_id": "sales", "label": LABEL},
            NONE: {"send": "none"},
            DEAD_END: {"send": "specific", "action_id": "retired"},
            POOLED: {"send": "none"},
        },
        "pools": {
            "spring-ppc": {"send": "specific", "action_id": "spring"},
            "summer-seo": {"send": "inherit"},
        },
    }
    lake = {
        "id": LAKE,
        "name": "Lakeside Dental",
        "actions": actions(LAKE),
        "numbers": {
            DESK: {"send": "account_wide"},
            DESK_ONE: {"send": "specific", "action_id": "ledger"},
        },
        "pools": {"smiles": {"send": "account_wide"}},
        "ad_groups": {"ad-7": {"send": "specific", "action_id": "audit"}},
    }
    return {"accounts": [acme, lake]}


def configured_things() -> int:
    """How many records the configuration is on `pca.config`."""
    return sum(
        1 + sum(len(account[part]) for part in ("actions", "numbers", "pools", "ad_groups"))
        for account in ({"pools": {}, "ad_groups": {}} | a for a in document("")["accounts"])
    )

"""The placeholders: what a dynamic parameter can hold. The renderer and drop-downs both read this.

One line each: id, the product document's label, and the value, a function of a Dispatch record
(whose `call` is a CallCompleted record). Labels and order are the product document's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from schemas.formats import call_type, eastern, eastern_iso, minutes, tenths, total, whole
from schemas.numbers import shown
from schemas.released import Record

Group = Literal["Call", "Actions", "Click-To", "Duration", "Transfer", "Lookup", "Call Distributor"]
Value = Callable[[Record], str]

ALWAYS = "always"
CLICK_TO = "for calls that a Click-to-Call initiated"
TRANSFERRED = "when the call was transferred"
RECORDED = "when the call was recorded"
NETGET = "when a SurVo NetGet or an IVR Web Hook ran"
LOOKUP = "when the account has Reverse Lookup enabled"
DISTRIBUTED = "when the call went to a Call Distributor"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A call detail that a customer can choose."""

    id: str
    label: str
    group: Group
    available: str
    """When a call has a value for it; otherwise it is empty (D25)."""
    value: Value
    """From a Dispatch record; never raises for one that was decoded."""


def _looked_up(field: str) -> Value:
    """D50."""

    def value(d: Record) -> str:
        lookup = d["call"]["lookup"]
        return lookup[field] if lookup and d["reverse_lookup_enabled"] else ""

    return value


def _distributor(field: str) -> Value:
    def value(d: Record) -> str:
        block = d["call"]["distributor"]
        return block[field] if block else ""

    return value


def _distributor_seconds(field: str) -> Value:
    def value(d: Record) -> str:
        block = d["call"]["distributor"]
        return whole(block[field]) if block else ""

    return value


def _call_duration(d: Record) -> str:
    call = d["call"]
    return minutes(total(call["talk_seconds"], call["intelligent_seconds"]))


# fmt: off
_ALL = (
    Placeholder("date_time", "Date/Time", "Call", ALWAYS, lambda d: eastern(d["call"]["started_at"])),
    Placeholder("date_time_iso", "Date/Time (ISO 8601)", "Call", ALWAYS, lambda d: eastern_iso(d["call"]["started_at"])),
    Placeholder("sid", "SID", "Call", ALWAYS, lambda d: d["call"]["sid"]),
    Placeholder("call_type", "Call Type", "Call", ALWAYS, lambda d: call_type(d["call"]["call_type"])),
    Placeholder("first_action", "First Action", "Actions", ALWAYS, lambda d: d["call"]["first_action"]),
    Placeholder("last_action", "Last Action", "Actions", ALWAYS, lambda d: d["call"]["last_action"]),
    Placeholder("all_actions", "All Actions", "Actions", ALWAYS, lambda d: "|".join(d["call"]["all_actions"])),
    Placeholder("click_description", "Click Description", "Click-To", CLICK_TO, lambda d: d["call"]["click_description"]),
    Placeholder("click_id", "Click ID", "Click-To", CLICK_TO, lambda d: d["call"]["click_id"]),
    Placeholder("called_number", "Called Number", "Call", ALWAYS, lambda d: shown(d["call"]["called_number"], d["call"]["called_e164"])),
    Placeholder("caller_id", "Caller ID", "Call", ALWAYS, lambda d: shown(d["call"]["caller_id"], d["call"]["caller_e164"])),
    Placeholder("intelligent_minutes", "Intelligent Minutes", "Duration", ALWAYS, lambda d: tenths(d["call"]["intelligent_seconds"])),
    Placeholder("talk_minutes", "Talk Minutes", "Duration", ALWAYS, lambda d: tenths(d["call"]["talk_seconds"])),
    Placeholder("enhanced_minutes", "Enhanced Minutes", "Duration", RECORDED, lambda d: tenths(d["call"]["enhanced_seconds"])),
    Placeholder("rounded_intelligent_minutes", "Rounded Intelligent Minutes", "Duration", ALWAYS, lambda d: minutes(d["call"]["intelligent_seconds"])),
    Placeholder("rounded_talk_minutes", "Rounded Talk Minutes", "Duration", ALWAYS, lambda d: minutes(d["call"]["talk_seconds"])),
    Placeholder("rounded_enhanced_minutes", "Rounded Enhanced Minutes", "Duration", RECORDED, lambda d: minutes(d["call"]["enhanced_seconds"])),
    Placeholder("call_duration", "Call Duration", "Duration", ALWAYS, _call_duration),
    Placeholder("transfer_type", "Transfer Type", "Transfer", TRANSFERRED, lambda d: d["call"]["transfer_type"]),
    Placeholder("transferred_to_number", "Transferred to Number", "Transfer", TRANSFERRED, lambda d: shown(d["call"]["transferred_to_number"], d["call"]["transferred_to_e164"])),
    Placeholder("phone_label", "Phone Label", "Call", ALWAYS, lambda d: d["phone_label"] or d["call"]["phone_label"]),
    Placeholder("lookup_last_name", "Lookup - Last Name", "Lookup", LOOKUP, _looked_up("last_name")),
    Placeholder("lookup_first_name", "Lookup - First Name", "Lookup", LOOKUP, _looked_up("first_name")),
    Placeholder("lookup_street_address", "Lookup - Street Address", "Lookup", LOOKUP, _looked_up("street_address")),
    Placeholder("lookup_city", "Lookup - City", "Lookup", LOOKUP, _looked_up("city")),
    Placeholder("lookup_state", "Lookup - State", "Lookup", LOOKUP, _looked_up("state")),
    Placeholder("lookup_zip_code", "Lookup - ZIP Code", "Lookup", LOOKUP, _looked_up("zip_code")),
    Placeholder("recording_duration", "Recording Duration (seconds)", "Duration", RECORDED, lambda d: whole(d["call"]["recording_seconds"])),
    Placeholder("call_transfer_status", "Call Transfer Status", "Transfer", TRANSFERRED, lambda d: d["call"]["call_transfer_status"]),
    Placeholder("netget_status", "NetGet Status", "Actions", NETGET, lambda d: d["call"]["netget_status"]),
    Placeholder("call_distributor_name", "Call Distributor Name", "Call Distributor", DISTRIBUTED, _distributor("name")),
    Placeholder("call_distributor_id", "Call Distributor ID", "Call Distributor", DISTRIBUTED, _distributor("id")),
    Placeholder("call_distributor_call_type", "Call Distributor Call Type (Inbound or Outbound)", "Call Distributor", DISTRIBUTED, _distributor("call_type")),
    Placeholder("call_distributor_agent_name", "Call Distributor Agent Name", "Call Distributor", DISTRIBUTED, _distributor("agent_name")),
    Placeholder("call_distributor_agent_id", "Call Distributor Agent ID", "Call Distributor", DISTRIBUTED, _distributor("agent_id")),
    Placeholder("call_distributor_time_to_answer", "Call Distributor Time to Answer", "Call Distributor", DISTRIBUTED, _distributor_seconds("time_to_answer_seconds")),
    Placeholder("call_distributor_queue_hold_time", "Call Distributor Queue Hold Time", "Call Distributor", DISTRIBUTED, _distributor_seconds("queue_hold_seconds")),
)
# fmt: on

PLACEHOLDERS = {placeholder.id: placeholder for placeholder in _ALL}
"""By id, in the product document's order."""

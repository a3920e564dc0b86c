"""The placeholders: what a dynamic parameter can hold. The renderer and drop-downs both read this.

One line each: id, the product document's label, and the value, a function of a Dispatch record
(whose `call` is a CallCompleted record). Labels, meanings and order are the product document's.
The parameters that SourceTrak and LeadFlow add stand in `schemas.blocks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from schemas.formats import call_type, eastern, eastern_iso, minutes, tenths, whole
from schemas.released import Record
from schemas.sources import Duration, Label, LookedUp, OfBlock, OfCall, Telephone, Value

Group = Literal[
    "Call", "Actions", "Click-To", "Duration", "Transfer", "Lookup", "Call Distributor",
    "SourceTrak", "LeadFlow", "CAKE",
]  # fmt: skip
Kind = Literal["text", "integer", "decimal", "flag", "list"]


@dataclass(frozen=True)
class When:
    """Which calls have a value, said both ways round."""

    available: str
    empty: str


# fmt: off
ALWAYS = When("always", "never")
KNOWN = When("always", "the producer of the call did not say")
CALLER = When("unless the caller is blocked", "the caller is blocked (D41)")
CLICK_TO = When("for calls that a Click-to-Call initiated", "no Click-to-Call initiated the call")
TRANSFERRED = When("when the call was transferred", "the call was not transferred")
RECORDED = When("when the call was recorded", "the call was not recorded")
NETGET = When("when a SurVo NetGet or an IVR Web Hook ran", "no SurVo NetGet or IVR Web Hook ran")
LABELLED = When("when a label is configured", "neither the number nor the call has a label")
LOOKUP = When("when the account has Reverse Lookup enabled", "Reverse Lookup is not enabled, or does not know it (D50)")
DISTRIBUTED = When("when the call went to a Call Distributor", "the call went to no Call Distributor")
ANSWERED = When("when the call went to a Call Distributor", "the call went to no Call Distributor, or no agent answered")
# fmt: on


@dataclass(frozen=True)
class Format:
    """How a value is written, and its type where a body is JSON."""

    kind: Kind
    written: str


# fmt: off
TEXT = Format("text", "as it came (D58)")
TIME = Format("text", "`YYYY-MM-DD HH:MM:SS`, Eastern time (D40)")
TIME_ISO = Format("text", "the same with a `T` and the offset (D40)")
CALL_TYPE = Format("text", "`Inbound`, `Outbound`, `Click-To`, or the producer's own word (D42)")
NUMBER = Format("text", "10 digits for +1, others in full without the plus; what is no number as it came (D41)")
LIST = Format("list", "joined by a vertical bar (D46)")
TENTHS = Format("decimal", "minutes, rounded up to the tenth (D43)")
MINUTES = Format("integer", "minutes, rounded up (D44)")
SUM_MINUTES = Format("integer", "talk + intelligent time in minutes, rounded up once (D44)")
SECONDS = Format("integer", "seconds (D55)")
STATUS = Format("text", "`ANSWER`, `BUSY`, `NOANSWER`, `CANCEL`, `CONGESTION`, `CHANUNAVAIL`, or the producer's own word (D49)")
LABEL = Format("text", "the called number's label, else the call's own (D56)")
# fmt: on


@dataclass(frozen=True)
class Placeholder:
    """A detail of a call that can be sent."""

    id: str
    label: str
    group: Group
    when: When
    format: Format
    value: Value
    """From a Dispatch record; never raises for one that was decoded. Empty: not applicable (D25)."""
    example: str
    meaning: str
    e164: Value | None = None
    """Of a telephone number: its E.164 form, empty where it has none; what SHA-256 is taken of."""
    items: Callable[[Record], list[str]] | None = None
    """Of a list: what a JSON body holds."""

    @property
    def available(self) -> str:
        """When a call has a value for it; otherwise it is empty (D25)."""
        return self.when.available


# fmt: off
_ALL = (
    Placeholder("date_time", "Date/Time", "Call", ALWAYS, TIME, OfCall("started_at", eastern), "2026-07-01 10:03:22", "Date and time the call started in Eastern time."),
    Placeholder("date_time_iso", "Date/Time (ISO 8601)", "Call", ALWAYS, TIME_ISO, OfCall("started_at", eastern_iso), "2026-07-01T10:03:22-04:00", "The same, unambiguous where the hour comes twice."),
    Placeholder("sid", "SID", "Call", ALWAYS, TEXT, OfCall("sid"), "4f1c0f6e-…", "Unique session Id for the call."),
    Placeholder("call_type", "Call Type", "Call", ALWAYS, CALL_TYPE, OfCall("call_type", call_type), "Inbound", "Inbound, Outbound, Click-To, etc."),
    Placeholder("first_action", "First Action", "Actions", KNOWN, TEXT, OfCall("first_action"), "Virtual Receptionist", "The first action to handle the call such as a Virtual Receptionist."),
    Placeholder("last_action", "Last Action", "Actions", KNOWN, TEXT, OfCall("last_action"), "Find Me", "The last action taken on a call."),
    Placeholder("all_actions", "All Actions", "Actions", KNOWN, LIST, lambda d: "|".join(d["call"]["all_actions"]), "Virtual Receptionist|Find Me", "List of all actions taken.", items=lambda d: d["call"]["all_actions"]),
    Placeholder("click_description", "Click Description", "Click-To", CLICK_TO, TEXT, OfCall("click_description"), "Call us", "The description (name) of the Click-to-Call that initiated the call if applicable."),
    Placeholder("click_id", "Click ID", "Click-To", CLICK_TO, TEXT, OfCall("click_id"), "c-1", "The ID of the Click-to-Call that initiated the call if applicable."),
    Placeholder("called_number", "Called Number", "Call", KNOWN, NUMBER, Telephone("called_number", "called_e164"), "8005550100", "Which of your local or toll free numbers was dialed.", e164=lambda d: d["call"]["called_e164"]),
    Placeholder("caller_id", "Caller ID", "Call", CALLER, NUMBER, Telephone("caller_id", "caller_e164"), "3125550123", "The phone number of the person who called.", e164=lambda d: d["call"]["caller_e164"]),
    Placeholder("intelligent_minutes", "Intelligent Minutes", "Duration", KNOWN, TENTHS, OfCall("intelligent_seconds", tenths), "0.6", "Time spent in a Find Me or Virtual Receptionist waiting to connect the call."),
    Placeholder("talk_minutes", "Talk Minutes", "Duration", KNOWN, TENTHS, OfCall("talk_seconds", tenths), "1.1", "Time spent while two parties are connected."),
    Placeholder("enhanced_minutes", "Enhanced Minutes", "Duration", RECORDED, TENTHS, OfCall("enhanced_seconds", tenths), "1.1", "Time spent while the call is recorded."),
    Placeholder("rounded_intelligent_minutes", "Rounded Intelligent Minutes", "Duration", KNOWN, MINUTES, OfCall("intelligent_seconds", minutes), "1", "Same as above but rounded up."),
    Placeholder("rounded_talk_minutes", "Rounded Talk Minutes", "Duration", KNOWN, MINUTES, OfCall("talk_seconds", minutes), "2", "Same as above but rounded up."),
    Placeholder("rounded_enhanced_minutes", "Rounded Enhanced Minutes", "Duration", RECORDED, MINUTES, OfCall("enhanced_seconds", minutes), "2", "Same as above but rounded up."),
    Placeholder("call_duration", "Call Duration", "Duration", KNOWN, SUM_MINUTES, Duration(), "2", "The length of the call in minutes."),
    Placeholder("transfer_type", "Transfer Type", "Transfer", TRANSFERRED, TEXT, OfCall("transfer_type"), "Virtual Receptionist", "If the call is transfered using a Virtual Receptionist, Click-to-XYZ, etc."),
    Placeholder("transferred_to_number", "Transferred to Number", "Transfer", TRANSFERRED, NUMBER, Telephone("transferred_to_number", "transferred_to_e164"), "3125550188", "If the call is transferred the number it was transfered to.", e164=lambda d: d["call"]["transferred_to_e164"]),
    Placeholder("phone_label", "Phone Label", "Call", LABELLED, LABEL, Label(), "Yellow pages", "Text string label configured for a phone number within Phone Routing."),
    Placeholder("lookup_last_name", "Lookup - Last Name", "Lookup", LOOKUP, TEXT, LookedUp("last_name"), "Ray", "Last Name captured by Reverse Lookup service."),
    Placeholder("lookup_first_name", "Lookup - First Name", "Lookup", LOOKUP, TEXT, LookedUp("first_name"), "Ada", "First Name captured by Reverse Lookup service."),
    Placeholder("lookup_street_address", "Lookup - Street Address", "Lookup", LOOKUP, TEXT, LookedUp("street_address"), "1 Elm St", "Street Address captured by Reverse Lookup service."),
    Placeholder("lookup_city", "Lookup - City", "Lookup", LOOKUP, TEXT, LookedUp("city"), "Elgin", "City captured by Reverse Lookup service."),
    Placeholder("lookup_state", "Lookup - State", "Lookup", LOOKUP, TEXT, LookedUp("state"), "IL", "State captured by Reverse Lookup service."),
    Placeholder("lookup_zip_code", "Lookup - ZIP Code", "Lookup", LOOKUP, TEXT, LookedUp("zip_code"), "60120", "ZIP Code captured by Reverse Lookup service."),
    Placeholder("recording_duration", "Recording Duration (seconds)", "Duration", RECORDED, SECONDS, OfCall("recording_seconds", whole), "61", "Duration of Call Recording."),
    Placeholder("call_transfer_status", "Call Transfer Status", "Transfer", TRANSFERRED, STATUS, OfCall("call_transfer_status"), "ANSWER", "The result of a call transfer if one occurred."),
    Placeholder("netget_status", "NetGet Status", "Actions", NETGET, TEXT, OfCall("netget_status"), "OK", "The result of a SurVo NetGet or IVR Webhook if one occurred."),
    Placeholder("call_distributor_name", "Call Distributor Name", "Call Distributor", DISTRIBUTED, TEXT, OfBlock("distributor", "name"), "Sales", "Name of the Call Distributor if the call went to one."),
    Placeholder("call_distributor_id", "Call Distributor ID", "Call Distributor", DISTRIBUTED, TEXT, OfBlock("distributor", "id"), "77", "The building block ID of the Call Distributor if the call went to one."),
    Placeholder("call_distributor_call_type", "Call Distributor Call Type (Inbound or Outbound)", "Call Distributor", DISTRIBUTED, TEXT, OfBlock("distributor", "call_type"), "Inbound", "The call type for a Call Distributor call."),
    Placeholder("call_distributor_agent_name", "Call Distributor Agent Name", "Call Distributor", ANSWERED, TEXT, OfBlock("distributor", "agent_name"), "Lee", "Call Distributor Agent that received / placed the call if applicable."),
    Placeholder("call_distributor_agent_id", "Call Distributor Agent ID", "Call Distributor", ANSWERED, TEXT, OfBlock("distributor", "agent_id"), "5", "Call Distributor Agent ID that received / placed the call if applicable."),
    Placeholder("call_distributor_time_to_answer", "Call Distributor Time to Answer", "Call Distributor", ANSWERED, SECONDS, OfBlock("distributor", "time_to_answer_seconds", whole), "12", "The duration from the time a caller enters the queue until connected to an agent measured in seconds."),
    Placeholder("call_distributor_queue_hold_time", "Call Distributor Queue Hold Time", "Call Distributor", DISTRIBUTED, SECONDS, OfBlock("distributor", "queue_hold_seconds", whole), "12", "The duration a caller spends in queue regardless if they connect to an agent measured in seconds."),
)
# fmt: on

PLACEHOLDERS = {placeholder.id: placeholder for placeholder in _ALL}
"""By id, in the product document's order."""

"""The blocks: the parameters that "Include SourceTrak / LeadFlow Information" add to a request.

One line each, as in `schemas.placeholders`; names, meanings and order are the product document's
(D20). A block is sent whole or not at all: its values may be asked for only where it `applies`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.formats import eastern, flag, price, tenths, total, whole
from schemas.numbers import shown
from schemas.placeholders import (
    KNOWN,
    NUMBER,
    PLACEHOLDERS,
    SECONDS,
    TEXT,
    TIME,
    Format,
    Placeholder,
    When,
)
from schemas.released import Record
from schemas.sources import Value

# fmt: off
NO_SESSION = When("when a visitor session led to the call", "no visitor session led to the call, or it does not know (D51)")
DEFAULTED = When("when the session or the configuration has it", "neither the session nor the configuration has one")
POOL = When("when the pool has it", "the pool has none")
OPTIONAL = When("when it was passed into SourceTrak", "none was passed into SourceTrak")
DECIDED = When("when LeadFlow decided it", "LeadFlow does not know (D47)")
DEFINED = When("when it is defined", "none is defined")
EARLIER = When("when an earlier call was made unqualified", "no earlier call was made unqualified (D53)")
CAKE_MAPPED = When("when CAKE has it", "CAKE has none")

RANK = Format("integer", "1 to 5, 1 is best (D54)")
FLAG = Format("flag", "`1` or `0` (D47)")
PRICE = Format("decimal", "two decimals, no symbol (D48)")
SUM_TENTHS = Format("decimal", "talk + intelligent time in minutes, rounded up to the tenth (D43)")
SUM_SECONDS = Format("integer", "talk + intelligent seconds (D45)")
EARLIER_SID = Format("text", "the earlier call's sid (D53)")
ID = Format("integer", "a whole number")
# fmt: on


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Parameters that are sent together. There are three, compared by identity."""

    applies: Callable[[Record], bool]
    """Whether a Dispatch record's call and account have it."""
    parameters: tuple[Placeholder, ...]


def _sourcetrak_applies(d: Record) -> bool:
    """D51: through an SEO or PPC pool; none at all for one-to-one."""
    sourcetrak = d["call"]["sourcetrak"]
    return (
        sourcetrak is not None
        and sourcetrak["pool_type"] in ("seo", "ppc")
        and d["sourcetrak_enabled"] is True
    )


def _leadflow_applies(d: Record) -> bool:
    """D52: LeadFlow processed the call."""
    return d["leadflow_enabled"] is True and d["call"]["leadflow"] is not None


def _cake_applies(d: Record) -> bool:
    """D52: the LeadFlow set has the integration."""
    return _leadflow_applies(d) and d["call"]["leadflow"]["cake"] is not None


def _st(field: str, when: When, example: str, meaning: str) -> Placeholder:
    """A text of SourceTrak, named as its field."""
    id_ = f"st_{field}"

    def value(d: Record) -> str:
        text: str = d["call"]["sourcetrak"][field]
        return text

    return Placeholder(id_, id_, "SourceTrak", when, TEXT, value, example, meaning)


def _lf(
    id_: str,
    when: When,
    format_: Format,
    value: Value,
    example: str,
    meaning: str,
    e164: Value | None = None,
) -> Placeholder:
    return Placeholder(id_, id_, "LeadFlow", when, format_, value, example, meaning, e164)


def _same(placeholder: str, meaning: str, id_: str = "") -> Placeholder:
    """What LeadFlow sends of the call itself: the same value as a placeholder's."""
    p = PLACEHOLDERS[placeholder]
    return _lf(id_ or p.id, p.when, p.format, p.value, p.example, meaning, p.e164)


def _total(d: Record) -> int | None:
    return total(d["call"]["talk_seconds"], d["call"]["intelligent_seconds"])


# fmt: off
SOURCETRAK = Block(_sourcetrak_applies, (
    Placeholder("st_rank", "st_rank", "SourceTrak", NO_SESSION, RANK, lambda d: whole(d["call"]["sourcetrak"]["rank"]), "1", "A general confidence indicator between 1 and 5 of how a phone call is matched to a source. A lower rank indicates a higher confidence."),
    _st("search_term", NO_SESSION, "roof repair", "The literal search string (keywords) that resulted in the display of a phone number on your website."),
    _st("referer", NO_SESSION, "google.com", "The referring domain that resulted in the display of a phone number on your website."),
    _st("baseuri", NO_SESSION, "https://example.com/lp", "The landing page of your website where the SourceTrak phone number was initially displayed."),
    _st("activity_keyword", NO_SESSION, "ppc", "The SourceTrak pool activity that triggered the number display."),
    Placeholder("st_displayed_timestamp", "st_displayed_timestamp", "SourceTrak", NO_SESSION, TIME, lambda d: eastern(d["call"]["sourcetrak"]["displayed_at"]), "2026-07-01 09:58:00", "The date and time (listed in Eastern time) that the SourceTrak phone number was first displayed on your website."),
    _st("ip_address", NO_SESSION, "203.0.113.9", "The IP address of the visitor during SourceTrak session."),
    _st("document_title", NO_SESSION, "Roofs", "Title of the initial page view during SourceTrak session."),
    _st("browser", NO_SESSION, "Firefox", "Web Browser used during SourceTrak session."),
    _st("os", NO_SESSION, "Linux", "Operating system used during SourceTrak session."),
    _st("ibp_custom", OPTIONAL, "blue", "Optional custom value passed into SourceTrak"),
    _st("ibp_unique_id", OPTIONAL, "v-17", "Optional unique id value passed into SourceTrak."),
    _st("pid", NO_SESSION, "st-1", "Unique identifier for the SourceTrak session."),
    _st("domain_set_id", POOL, "3", "Id of the SourceTrak Domain Set for the number called."),
    _st("gclid", NO_SESSION, "Cj0K", "Google Click Id captured from a Google Adwords visit."),
    _st("google_ua_client_id", NO_SESSION, "123456.7654321", "Google Universal Analytics Client Id captured during the SourceTrak session."),
    _st("pool_name", POOL, "Spring", "SourceTrak pool name for the number called."),
    _st("location_name", POOL, "Elgin", "When displaying multiple numbers (locations) on a page, indicates which location received the call."),
    Placeholder("st_sourceguard", "st_sourceguard", "SourceTrak", POOL, FLAG, lambda d: flag(d["call"]["sourcetrak"]["sourceguard"]), "0", "Indicates if call was to a SourceGuard number."),
    _st("campaign", DEFAULTED, "spring", "Ad Campaign captured by SourceTrak session or default value set in SourceTrak configuration."),
    _st("platform", DEFAULTED, "adwords", "Ad Platform captured by SourceTrak session or default value set in SourceTrak configuration."),
    _st("url_tag", NO_SESSION, "utm_x", "The PPC ad or url parameter that led to the phone call."),
))

LEADFLOW = Block(_leadflow_applies, (
    _same("date_time", "Date and time the call started in Eastern time.", "call_date"),
    _lf("leadflow_set_name", DEFINED, TEXT, lambda d: d["call"]["leadflow"]["set_name"], "Roofers", "The name defined for the LeadFlow set that processed the call."),
    _lf("leadflow_id", KNOWN, TEXT, lambda d: d["call"]["leadflow"]["id"], "lf-2", "The building block ID for the LeadFlow set that processed the call."),
    _lf("destination_name", DEFINED, TEXT, lambda d: d["call"]["leadflow"]["destination_name"], "North", "The user-defined name for the destination that received the call."),
    _lf("destination_number", KNOWN, NUMBER, lambda d: shown(d["call"]["leadflow"]["destination_number"], d["call"]["leadflow"]["destination_e164"]), "3125550188", "The phone number of the destination that received the call.", lambda d: d["call"]["leadflow"]["destination_e164"]),
    _lf("source_name", DEFINED, TEXT, lambda d: d["call"]["leadflow"]["source_name"], "Web", "The user-defined name used to apply LeadFlow Source Rules to specific phone numbers."),
    _same("phone_label", "The user-defined name for the source number that received the call."),
    _lf("source_number", KNOWN, NUMBER, lambda d: shown(d["call"]["leadflow"]["source_number"], d["call"]["leadflow"]["source_e164"]), "8005550100", "The inbound phone number that received the call (aka Dialed Number).", lambda d: d["call"]["leadflow"]["source_e164"]),
    _lf("tag", DEFINED, TEXT, lambda d: d["call"]["leadflow"]["tag"], "gold", "(if defined) user-defined value for source that received the call."),
    _same("caller_id", "The phone number of the caller."),
    _lf("source_qualified", DECIDED, FLAG, lambda d: flag(d["call"]["leadflow"]["source_qualified"]), "1", "Indicates qualification based on source rules."),
    _lf("destination_qualified", DECIDED, FLAG, lambda d: flag(d["call"]["leadflow"]["destination_qualified"]), "1", "Indicates qualification based on destination rules."),
    _lf("rerouted", DECIDED, FLAG, lambda d: flag(d["call"]["leadflow"]["rerouted"]), "0", "Indicates if a repeat caller was sent to the same destination based on reroute timeframe."),
    _lf("repeat_source_caller", DECIDED, FLAG, lambda d: flag(d["call"]["leadflow"]["repeat_source_caller"]), "0", 'Indicates if a caller has called more than once within the timeframe defined for the "Unique Caller Duration" in the Source rules.'),
    _same("talk_minutes", "Duration that caller and destination were connected rounded up to the tenth of the minute."),
    _lf("talk_seconds", KNOWN, SECONDS, lambda d: whole(d["call"]["talk_seconds"]), "61", "Duration that caller and destination were connected in raw seconds."),
    _lf("total_minutes", KNOWN, SUM_TENTHS, lambda d: tenths(_total(d)), "1.6", "Duration that caller was connected to DialogTech platform rounded up to the tenth of the minute (aka (talk seconds + intelligent seconds) rounded up to the tenth of the minute))."),
    _lf("total_seconds", KNOWN, SUM_SECONDS, lambda d: whole(_total(d)), "95", "Duration that caller was connected to DialogTech platform in raw seconds."),
    _same("call_duration", "Duration that caller was connected to DialogTech platform rounded up to the minute."),
    _lf("source_price_per_call", DEFINED, PRICE, lambda d: price(d["call"]["leadflow"]["source_price_per_call"]), "12.50", "(if defined) user-defined dollar value for a qualified call for the given source."),
    _lf("destination_price_per_call", DEFINED, PRICE, lambda d: price(d["call"]["leadflow"]["destination_price_per_call"]), "8.00", "(if defined) user-defined dollar value for a qualified call for the given destination."),
    _same("sid", "Unique identifier for a call on the DialogTech platform (aka session ID)."),
    _lf("previous_qualified_source_call", EARLIER, EARLIER_SID, lambda d: d["call"]["leadflow"]["previous_qualified_source_call"], "2b7e1516-…", "Identifies a previous source qualified call from the same caller that has been updated to unqualified when this call was marked qualified."),
    _lf("previous_qualified_destination_call", EARLIER, EARLIER_SID, lambda d: d["call"]["leadflow"]["previous_qualified_destination_call"], "2b7e1516-…", "Identifies a previous destination qualified call from the same caller that has been updated to unqualified when this call was marked qualified."),
))

CAKE = Block(_cake_applies, (
    Placeholder("cake_affiliate_id", "cake_affiliate_id", "CAKE", CAKE_MAPPED, ID, lambda d: whole(d["call"]["leadflow"]["cake"]["affiliate_id"]), "41", "The numeric CAKE identifier for an affiliate associated with the DialogTech inbound phone number."),
    Placeholder("cake_offer_id", "cake_offer_id", "CAKE", CAKE_MAPPED, ID, lambda d: whole(d["call"]["leadflow"]["cake"]["offer_id"]), "7", "The numeric CAKE identifier for an offer associated with the LeadFlow Destination."),
))
# fmt: on

BLOCKS = (SOURCETRAK, LEADFLOW, CAKE)
"""In the order in which they are sent (D20)."""


def _where_it_applies(block: Block, value: Value) -> Value:
    return lambda d: value(d) if block.applies(d) else ""


NAMED: dict[str, Value] = {
    parameter.id: _where_it_applies(block, parameter.value)
    for block in BLOCKS
    for parameter in block.parameters
} | {placeholder.id: placeholder.value for placeholder in PLACEHOLDERS.values()}
"""All that a template can name. A block's values are empty where the block does not apply; those
of the call itself (`sid`, `caller_id`, …) are the placeholders', and so are always there."""

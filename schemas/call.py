"""A completed call as JSON (`POST /v1/calls`, `pca emit`, files), and its way to Avro."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from schemas.numbers import e164
from schemas.released import Record

MAX_CALL_BYTES = 512 * 1024
"""A larger encoded call is refused at the door and unroutable behind it: a dispatch carries the
call and its action, and must stay well below what the topics allow."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)

AccountId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$")]
"""Stands in URLs and in keys of the form account/kind/id, so it holds no slash."""
Sid = Annotated[
    str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Seconds = Annotated[int, Field(ge=0, le=2**31 - 1)]
Text = str | None


def _price(value: Any) -> Any:
    """Prices come as text ("12.50") or as a JSON number; both mean the same decimal."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError("is no price; write it as 12.50")
    return Decimal(str(value)) or Decimal()  # zero has no sign


def _time(value: Any) -> Any:
    """Pydantic alone would take the seconds since 1970 for a time as well."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339.fullmatch(value)):
        return value
    raise ValueError("is no RFC 3339 time with an offset; write it as 2026-07-01T14:03:22Z")


Price = Annotated[Decimal, BeforeValidator(_price), Field(ge=0, max_digits=18)]
Time = Annotated[
    AwareDatetime,
    # Not strict: what a validator of ours has seen counts as Python's, where text is no datetime.
    Field(strict=False, ge=_EPOCH, lt=datetime(9999, 1, 1, tzinfo=UTC)),
    BeforeValidator(_time),
]
"""From 1970 to 9998, so that every time zone can show it."""


class Shape(BaseModel):
    """JSON as people and programs write it: unknown fields are refused with their path."""

    # What was given may be a secret, and an error may end in a log.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Lookup(Shape):
    """What Reverse Lookup knows of the caller."""

    last_name: Text = None
    first_name: Text = None
    street_address: Text = None
    city: Text = None
    state: Text = None
    zip_code: Text = None


class Distributor(Shape):
    """The Call Distributor that the call went to."""

    name: Text = None
    id: Text = None
    call_type: Text = None
    agent_name: Text = None
    agent_id: Text = None
    time_to_answer_seconds: Seconds | None = None
    queue_hold_seconds: Seconds | None = None


class SourceTrak(Shape):
    """The SourceTrak pool and visitor session of the call."""

    pool_id: Text = None
    pool_type: Literal["seo", "ppc", "one_to_one"] | None = None
    pool_name: Text = None
    rank: Annotated[int, Field(ge=1, le=5)] | None = None
    search_term: Text = None
    referer: Text = None
    baseuri: Text = None
    activity_keyword: Text = None
    displayed_at: Time | None = None
    ip_address: Text = None
    document_title: Text = None
    browser: Text = None
    os: Text = None
    ibp_custom: Text = None
    ibp_unique_id: Text = None
    pid: Text = None
    domain_set_id: Text = None
    gclid: Text = None
    google_ua_client_id: Text = None
    location_name: Text = None
    sourceguard: bool | None = None
    campaign: Text = None
    platform: Text = None
    url_tag: Text = None


class Cake(Shape):
    """The CAKE integration of a LeadFlow set."""

    affiliate_id: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    offer_id: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None


class LeadFlow(Shape):
    """What LeadFlow decided on the call."""

    set_name: Text = None
    id: Text = None
    destination_name: Text = None
    destination_number: Text = None
    source_name: Text = None
    source_number: Text = None
    tag: Text = None
    source_qualified: bool | None = None
    destination_qualified: bool | None = None
    rerouted: bool | None = None
    repeat_source_caller: bool | None = None
    source_price_per_call: Price | None = None
    destination_price_per_call: Price | None = None
    previous_qualified_source_call: Text = None
    previous_qualified_destination_call: Text = None
    cake: Cake | None = None


class Call(Shape):
    """A finished call. `null` or absence means that it does not apply."""

    account_id: AccountId
    sid: Sid
    revision: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    started_at: Time
    ended_at: Time | None = None
    call_type: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    called_number: Text = None
    caller_id: Text = None
    phone_label: Text = None
    first_action: Text = None
    last_action: Text = None
    all_actions: list[str] | None = None
    click_id: Text = None
    click_description: Text = None
    intelligent_seconds: Seconds | None = None
    talk_seconds: Seconds | None = None
    enhanced_seconds: Seconds | None = None
    transfer_type: Text = None
    transferred_to_number: Text = None
    call_transfer_status: Text = None
    recording_seconds: Seconds | None = None
    netget_status: Text = None
    lookup: Lookup | None = None
    distributor: Distributor | None = None
    ad_group_id: Text = None
    sourcetrak: SourceTrak | None = None
    leadflow: LeadFlow | None = None

    def to_avro(self) -> Record:
        """The CallCompleted record: numbers also as E.164, times as microseconds.

        What does not apply is left out; the schema's defaults stand for it.
        """
        record = self.model_dump(exclude_none=True)
        record["started_at"] = microseconds(self.started_at)
        if self.ended_at:
            record["ended_at"] = microseconds(self.ended_at)
        record["called_e164"] = e164(self.called_number or "")
        record["caller_e164"] = e164(self.caller_id or "")
        record["transferred_to_e164"] = e164(self.transferred_to_number or "")
        if self.sourcetrak:
            record["pool_id"] = record["sourcetrak"].pop("pool_id", "")
            if self.sourcetrak.displayed_at:
                record["sourcetrak"]["displayed_at"] = microseconds(self.sourcetrak.displayed_at)
        if self.leadflow:
            leadflow = record["leadflow"]
            leadflow["destination_e164"] = e164(self.leadflow.destination_number or "")
            leadflow["source_e164"] = e164(self.leadflow.source_number or "")
            for price in ("source_price_per_call", "destination_price_per_call"):
                if price in leadflow:
                    leadflow[price] = format(leadflow[price], "f")
        return record


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, UTC, in integer arithmetic."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds_: int) -> datetime:
    """The UTC time of a count of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds_)

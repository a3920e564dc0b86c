"""A completed call as JSON (`POST /v1/calls`, `pca emit`, files), and its way to Avro."""

from __future__ import annotations

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

AccountId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$")]
"""Stands in URLs and in keys of the form account/kind/id, so it holds no slash."""
Sid = Annotated[
    str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Seconds = Annotated[int, Field(ge=0, le=2**31 - 1)]
Text = str | None


def _price_from_text(value: Any) -> Any:
    """Prices come as text ("12.50") or as a JSON number; both mean the same decimal."""
    return Decimal(str(value)) if isinstance(value, (int, float)) and value is not True else value


Price = Annotated[Decimal, BeforeValidator(_price_from_text), Field(ge=0, max_digits=18)]


class Shape(BaseModel):
    """JSON as people and programs write it: unknown fields are refused with their path."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


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
    displayed_at: AwareDatetime | None = None
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
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
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
        """The CallCompleted record: numbers also as E.164, times as microseconds."""
        record = _plain(self)
        sourcetrak = record["sourcetrak"]
        record["pool_id"] = sourcetrak.pop("pool_id", "") if sourcetrak else ""
        for raw, normal in (
            ("called_number", "called_e164"),
            ("caller_id", "caller_e164"),
            ("transferred_to_number", "transferred_to_e164"),
        ):
            record[normal] = e164(record.get(raw, ""))
        if leadflow := record["leadflow"]:
            leadflow["destination_e164"] = e164(leadflow.get("destination_number", ""))
            leadflow["source_e164"] = e164(leadflow.get("source_number", ""))
        return record


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, UTC, in integer arithmetic."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds_: int) -> datetime:
    """The UTC time of a count of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds_)


_BLOCKS = {"lookup", "distributor", "sourcetrak", "leadflow", "cake"}


def _plain(shape: Shape) -> Record:
    """The fields that are set, in Avro's terms; absent blocks as None."""
    record: Record = {}
    for name in type(shape).model_fields:
        value = getattr(shape, name)
        if value is None:
            if name in _BLOCKS:
                record[name] = None
        elif isinstance(value, Shape):
            record[name] = _plain(value)
        elif isinstance(value, datetime):
            record[name] = microseconds(value)
        elif isinstance(value, Decimal):
            record[name] = format(value, "f")
        else:
            record[name] = value
    return record

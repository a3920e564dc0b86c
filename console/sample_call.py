"""An invented call that has a value for everything, to preview and to test actions with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from schemas.call import Call

_FIELDS: dict[str, Any] = {
    "call_type": "inbound",
    "called_number": "+18005550100",
    "caller_id": "+13125550123",
    "phone_label": "Yellow pages",
    "first_action": "Virtual Receptionist",
    "last_action": "Find Me",
    "all_actions": ["Virtual Receptionist", "Find Me"],
    "click_id": "c-1",
    "click_description": "Call us",
    "intelligent_seconds": 34,
    "talk_seconds": 61,
    "enhanced_seconds": 61,
    "transfer_type": "Virtual Receptionist",
    "transferred_to_number": "+13125550188",
    "call_transfer_status": "ANSWER",
    "recording_seconds": 61,
    "netget_status": "OK",
    "lookup": {
        "last_name": "Ray",
        "first_name": "Ada",
        "street_address": "1 Elm St",
        "city": "Elgin",
        "state": "IL",
        "zip_code": "60120",
    },
    "distributor": {
        "name": "Sales",
        "id": "77",
        "call_type": "Inbound",
        "agent_name": "Lee",
        "agent_id": "5",
        "time_to_answer_seconds": 12,
        "queue_hold_seconds": 12,
    },
    "sourcetrak": {
        "pool_id": "p-9",
        "pool_type": "ppc",
        "pool_name": "Spring",
        "rank": 1,
        "search_term": "roof repair",
        "referer": "google.com",
        "baseuri": "https://example.com/lp",
        "activity_keyword": "ppc",
        "ip_address": "203.0.113.9",
        "document_title": "Roofs & gutters",
        "browser": "Firefox",
        "os": "Linux",
        "ibp_custom": "gold",
        "ibp_unique_id": "u-1",
        "pid": "st-1",
        "domain_set_id": "3",
        "gclid": "Cj0K",
        "google_ua_client_id": "GA1.2.123456.7654321",
        "location_name": "Elgin",
        "sourceguard": False,
        "campaign": "spring",
        "platform": "adwords",
        "url_tag": "utm_x",
    },
    "leadflow": {
        "set_name": "Roofers",
        "id": "lf-2",
        "destination_name": "North",
        "destination_number": "+13125550188",
        "source_name": "Web",
        "source_number": "+18005550100",
        "tag": "gold",
        "source_qualified": True,
        "destination_qualified": True,
        "rerouted": False,
        "repeat_source_caller": False,
        "source_price_per_call": "12.50",
        "destination_price_per_call": "8.00",
        "cake": {"affiliate_id": 41, "offer_id": 7},
    },
}


def sample_call(account_id: str, sid: str, now: datetime) -> Call:
    """A call of that account that ended just `now` (with a time zone)."""
    started = now.replace(microsecond=0) - timedelta(seconds=95)
    sourcetrak = _FIELDS["sourcetrak"] | {"displayed_at": started - timedelta(minutes=5)}
    times = {"started_at": started, "ended_at": started + timedelta(seconds=95)}
    return Call.model_validate(
        {"account_id": account_id, "sid": sid} | _FIELDS | times | {"sourcetrak": sourcetrak}
    )

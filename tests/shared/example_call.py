"""The completed call that the documentation shows (records.md), every block filled."""

import json

EXAMPLE = json.loads("""
{
  "account_id": "acme", "sid": "4f1c0f6e-…", "revision": 0,
  "started_at": "2026-07-01T14:03:22Z", "ended_at": "2026-07-01T14:04:57Z",
  "call_type": "inbound",
  "called_number": "+18005550100", "caller_id": "+13125550123", "phone_label": "Yellow pages",
  "first_action": "Virtual Receptionist", "last_action": "Find Me",
  "all_actions": ["Virtual Receptionist", "Find Me"],
  "click_id": null, "click_description": null,
  "intelligent_seconds": 34, "talk_seconds": 61, "enhanced_seconds": 61,
  "transfer_type": "Virtual Receptionist", "transferred_to_number": "+13125550188",
  "call_transfer_status": "ANSWER", "recording_seconds": 61, "netget_status": null,
  "lookup": {"last_name": "Ray", "first_name": "Ada", "street_address": "1 Elm St",
    "city": "Elgin", "state": "IL", "zip_code": "60120"},
  "distributor": {"name": "Sales", "id": "77", "call_type": "Inbound", "agent_name": "Lee",
    "agent_id": "5", "time_to_answer_seconds": 12, "queue_hold_seconds": 12},
  "ad_group_id": null,
  "sourcetrak": {
    "pool_id": "p-9", "pool_type": "ppc", "pool_name": "Spring", "rank": 1,
    "search_term": "roof repair", "referer": "google.com", "baseuri": "https://example.com/lp",
    "activity_keyword": "ppc", "displayed_at": "2026-07-01T13:58:00Z", "ip_address": "203.0.113.9",
    "document_title": "Roofs", "browser": "Firefox", "os": "Linux", "ibp_custom": null,
    "ibp_unique_id": null, "pid": "st-1", "domain_set_id": "3", "gclid": "Cj0K",
    "google_ua_client_id": "123456.7654321", "location_name": null, "sourceguard": false,
    "campaign": "spring", "platform": "adwords", "url_tag": "utm_x"
  },
  "leadflow": {
    "set_name": "Roofers", "id": "lf-2", "destination_name": "North",
    "destination_number": "+13125550188", "source_name": "Web", "source_number": "+18005550100",
    "tag": null, "source_qualified": true, "destination_qualified": true, "rerouted": false,
    "repeat_source_caller": false, "source_price_per_call": "12.50",
    "destination_price_per_call": null, "previous_qualified_source_call": null,
    "previous_qualified_destination_call": null,
    "cake": {"affiliate_id": 41, "offer_id": 7}
  }
}
""")

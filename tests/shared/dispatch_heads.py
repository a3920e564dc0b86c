"""Values for a Dispatch's own fields."""

from hypothesis import strategies as st

TEXT = st.text(st.characters(codec="utf-8"), max_size=100)
LONG = st.integers(-(2**63), 2**63 - 1)
HEAD_FIELDS = {
    "dispatch_id": st.uuids().map(str),
    "account_id": TEXT,
    "action_id": TEXT,
    "sid": TEXT,
    "revision": LONG,
    "attempt": LONG,
    "config_version": LONG,
    "action_version": LONG,
    "routed_at": LONG,
    "due_at": st.none() | LONG,
    "phone_label": TEXT,
    "reverse_lookup_enabled": st.booleans(),
    "sourcetrak_enabled": st.booleans(),
    "leadflow_enabled": st.booleans(),
    "failure": st.none()
    | st.fixed_dictionaries(
        {"error": TEXT, "detail": TEXT, "status": st.none() | LONG, "failed_at": LONG}
    ),
    "call_bytes": LONG,
}
"""A strategy for each, in the schema's order."""

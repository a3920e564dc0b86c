"""Whatever is applied is there, and what is exported is what was applied."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.store.documents import apply, export, plan
from schemas.configuration import Document
from schemas.placeholders import PLACEHOLDERS

ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,5}", fullmatch=True)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
parameters = st.lists(
    st.fixed_dictionaries({"name": names, "placeholder": st.sampled_from(sorted(PLACEHOLDERS))}),
    max_size=3,
    unique_by=lambda parameter: parameter["name"],
)
flags = st.booleans()
headers = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["X-Api-Key", "X-Plain", "Cookie", "Accept"]),
            "value": st.from_regex(r"[!-)+-~]{0,9}", fullmatch=True),
        }
    ),
    max_size=3,
    unique_by=lambda header: header["name"],
)
bodies = st.sampled_from(
    [
        {"method": "GET"},
        {"method": "PUT", "body": "json"},
        {"method": "POST", "body": "template", "template": "{{sid}}", "content_type": "text/x"},
    ]
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "minimum_talk_seconds": st.integers(0, 9),
        "call_types": st.just(["inbound", "Ring"]),
        "qualified": st.sampled_from(["source", "destination", "both"]),
        "tags": st.lists(ids, max_size=2, unique=True),
    },
)
call_details = st.fixed_dictionaries(
    {
        "id": ids,
        "name": names,
        "scope": st.sampled_from(["all_calls", "configured_numbers_only"]),
        "target_url": st.sampled_from(["https://u:p@example.com/h", "http://example.com"]),
    },
    optional={
        "active": flags, "parameters": parameters, "method": st.just("POST"), "headers": headers,
        "revisions": flags, "omit_empty": flags, "conditions": conditions,
    },
)  # fmt: skip
call_details |= st.tuples(call_details, bodies).map(
    lambda pair: {k: v for k, v in pair[0].items() if k != "parameters"} | pair[1]
)
analytics = st.fixed_dictionaries(
    {
        "id": ids,
        "name": names,
        "scope": st.just("all_calls"),
        "option": st.just("google_analytics"),
        "google_analytics": st.fixed_dictionaries(
            {
                "measurement_id": st.just("G-ABC123"),
                "api_secret": names.filter(lambda secret: secret != "***"),
                "event_name": st.just("call"),
            },
            optional={
                "parameters": st.just([{"name": "a", "placeholder": "sid", "transform": "mask"}])
            },
        ),
    }
)


@st.composite
def accounts(draw):
    actions = draw(
        st.lists(call_details | analytics, max_size=3, unique_by=lambda action: action["id"])
    )
    sends = [st.fixed_dictionaries({"send": st.just("none")}, optional={"label": names})]
    if actions:
        chosen = st.sampled_from([action["id"] for action in actions])
        sends.append(st.fixed_dictionaries({"send": st.just("specific"), "action_id": chosen}))
    routing = st.one_of(sends)
    numbers = st.from_regex(r"\+1800555[0-9]{4}", fullmatch=True)
    return {
        "id": draw(st.sampled_from(["acme", "other"])),
        "name": draw(names),
        "leadflow_enabled": draw(flags),
        "actions": actions,
        "numbers": draw(st.dictionaries(numbers, routing, max_size=4)),
        "pools": draw(st.dictionaries(ids, routing, max_size=2)),
        "ad_groups": draw(st.dictionaries(ids, routing, max_size=2)),
    }


documents = st.fixed_dictionaries(
    {"accounts": st.lists(accounts(), max_size=2, unique_by=lambda account: account["id"])}
)


def checked(document):
    return Document.model_validate_json(json.dumps(document))


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@settings(
    max_examples=40,
    deadline=None,
    # The database goes on from example to example: each starts with what the last one left.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=documents)
async def test_apply_plan_and_export_go_round(database, document):
    planned = (await plan(database, checked(document))).shown()
    assert (await apply(database, checked(document))).shown() == planned
    named = [account["id"] for account in document["accounts"]]
    for secrets in (False, True):
        exported = await export(database, named, secrets=secrets) if named else {"accounts": []}
        assert (await plan(database, checked(exported))).changes == []
    assert (await plan(database, checked(document))).changes == []

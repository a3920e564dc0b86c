"""The API as the specification has it, and every way in which it refuses."""

import json

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from console.api import console_app

ACTION = {
    "name": "CRM",
    "active": True,
    "scope": "all_calls",
    "option": "call_detail",
    "target_url": "https://example.com/sub-folder/handler?client_id=1234",
    "method": "GET",
    "parameters": [{"name": "from", "placeholder": "caller_id"}],
    "include_sourcetrak": False,
    "include_leadflow": False,
}
ANALYTICS = {
    "name": "GA",
    "scope": "all_calls",
    "option": "google_analytics",
    "google_analytics": {
        "measurement_id": "G-ABC123",
        "api_secret": "very-secret",
        "event_name": "call",
        "parameters": [{"name": "sid", "placeholder": "sid"}],
    },
}

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture
async def acme(api):
    """The API, with an account."""
    await api.put("/v1/accounts/acme", json={"name": "Acme"})
    return api


@pytest.fixture
async def crm(acme):
    """The path of an action at version 2."""
    return (await acme.post("/v1/accounts/acme/actions", json=ACTION)).headers["location"]


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["type"]
    assert body["title"]
    assert body["detail"]
    return body


def only_fault(answer):
    (fault,) = problem(answer, 422)["errors"]
    return fault


async def test_an_account_is_created_changed_read_and_deleted(api):
    created = await api.put("/v1/accounts/acme", json={"name": "Acme"})
    assert (created.status_code, created.json()["version"]) == (201, 1)
    changed = await api.put("/v1/accounts/acme", json={"name": "A", "leadflow_enabled": True})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await api.get("/v1/accounts/acme")).json() == {
        "id": "acme", "version": 2, "name": "A", "reverse_lookup_enabled": False,
        "sourcetrak_enabled": False, "leadflow_enabled": True,
    }  # fmt: skip
    assert (await api.delete("/v1/accounts/acme")).status_code == 204
    problem(await api.get("/v1/accounts/acme"), 404)
    problem(await api.delete("/v1/accounts/acme"), 404)


async def test_an_action_gets_a_short_id_and_a_version(acme):
    created = await acme.post("/v1/accounts/acme/actions", json=ACTION)
    assert created.status_code == 201
    assert len(created.json()["id"]) == 16
    assert created.json()["version"] == 2
    assert (await acme.get(created.headers["location"])).json() == created.json()


@pytest.mark.parametrize("version", ["2", '"2"', 'W/"2"', "*"])
async def test_an_action_is_changed_by_one_who_has_read_it(acme, crm, version):
    changed = await acme.put(crm, json=ACTION | {"active": False}, headers={"If-Match": version})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"3"')


async def test_an_action_changed_meanwhile_is_412_with_the_current_version(acme, crm):
    answer = await acme.put(crm, json=ACTION | {"name": "x"}, headers={"If-Match": '"1"'})
    assert problem(answer, 412)["version"] == 2
    assert answer.headers["etag"] == '"2"'


async def test_without_if_match_it_is_428(acme, crm):
    problem(await acme.put(crm, json=ACTION), 428)


@pytest.mark.parametrize("nonsense", ["two", "", '"2", "3"', "9" * 30])
async def test_an_if_match_that_is_no_version_is_400(acme, crm, nonsense):
    problem(await acme.put(crm, json=ACTION, headers={"If-Match": nonsense}), 400)


async def test_put_creates_no_action(acme):
    url = "/v1/accounts/acme/actions/mine"
    problem(await acme.put(url, json=ACTION, headers={"If-Match": "1"}), 404)


async def test_a_named_action_is_409_unless_forced(acme, crm):
    action_id = crm.rpartition("/")[2]
    await acme.put(
        "/v1/accounts/acme/ad-groups/g", json={"send": "specific", "action_id": action_id}
    )
    assert problem(await acme.delete(crm), 409)["named_by"] == [{"kind": "ad_group", "id": "g"}]
    assert (await acme.delete(crm, params={"force": True})).status_code == 204


@pytest.mark.parametrize(
    "written", ["+18005550100", "8005550100", "(800)%20555-0100", "%2B1 800 555 0100"]
)
async def test_a_number_may_be_written_in_any_way(acme, written):
    url = f"/v1/accounts/acme/numbers/{written}"
    created = await acme.put(url, json={"send": "none", "label": "Yellow pages"})
    assert (created.status_code, created.json()["id"]) == (201, "+18005550100")
    assert (await acme.get(url)).json() == {
        "id": "+18005550100", "version": 2, "send": "none", "label": "Yellow pages",
    }  # fmt: skip
    assert (await acme.delete(url)).status_code == 204


async def test_what_is_no_number_is_refused(acme):
    fault = only_fault(await acme.put("/v1/accounts/acme/numbers/anonymous", json={}))
    assert fault["path"] == "number"
    assert fault["given"] == "anonymous"


@pytest.mark.parametrize("folder", ["pools", "ad-groups"])
async def test_a_pool_or_ad_group_inherits_unless_told(acme, folder):
    url = f"/v1/accounts/acme/{folder}/p-9"
    assert (await acme.put(url, json={})).json()["send"] == "inherit"
    assert (await acme.delete(url)).status_code == 204
    problem(await acme.get(url), 404)


async def test_a_number_has_nothing_to_inherit_from(acme):
    fault = only_fault(
        await acme.put("/v1/accounts/acme/numbers/+18005550100", json={"send": "inherit"})
    )
    assert fault["path"] == "send"


async def test_lists_come_in_parts(acme):
    numbers = [f"+1800555010{n}" for n in range(5)]
    for number in numbers:
        await acme.put(f"/v1/accounts/acme/numbers/{number}", json={"send": "none"})
    found, after = [], ""
    while after is not None:
        url = f"/v1/accounts/acme/numbers?limit=2&after={after}"  # the plus is not encoded
        page = (await acme.get(url)).json()
        found += [item["id"] for item in page["items"]]
        after = page["next"]
    assert found == numbers
    for folder in ("actions", "pools", "ad-groups"):
        empty = (await acme.get(f"/v1/accounts/acme/{folder}")).json()
        assert empty == {"items": [], "next": None}
        problem(await acme.get(f"/v1/accounts/nobody/{folder}"), 404)
    assert [a["id"] for a in (await acme.get("/v1/accounts")).json()["items"]] == ["acme"]


async def test_placeholders_are_what_a_drop_down_reads(api):
    first = (await api.get("/v1/placeholders")).json()[0]
    assert first == {
        "id": "date_time", "label": "Date/Time", "group": "Call", "available": "always",
    }  # fmt: skip


async def test_a_fault_names_its_path(acme):
    wrong = ACTION | {"parameters": [ACTION["parameters"][0], {"name": "x", "placeholder": "y"}]}
    fault = only_fault(await acme.post("/v1/accounts/acme/actions", json=wrong))
    assert fault["path"] == "parameters[1].placeholder"
    assert fault["given"] == "y"


async def test_an_unknown_field_is_refused(acme):
    fault = only_fault(await acme.post("/v1/accounts/acme/actions", json=ACTION | {"metod": "G"}))
    assert fault["path"] == "metod"


@pytest.mark.parametrize("body", [b"{", b'{"name": "\xff"}', b"[" * 100_000])
async def test_malformed_json_is_400(api, body):
    headers = {"Content-Type": "application/json"}
    problem(await api.put("/v1/accounts/a", content=body, headers=headers), 400)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b'{"name": "\\ud800"}'])
async def test_json_of_another_shape_is_422(api, body):
    headers = {"Content-Type": "application/json"}
    problem(await api.put("/v1/accounts/a", content=body, headers=headers), 422)


async def test_what_is_not_declared_as_json_is_415(api):
    headers = {"Content-Type": "text/plain"}
    problem(await api.put("/v1/accounts/a", content=b'{"name": "A"}', headers=headers), 415)


async def test_too_large_a_body_is_413(api):
    headers = {"Content-Type": "application/json"}

    async def streamed():
        for _ in range(20):
            yield b" " * 100_000

    for body in (b" " * 1_100_000, streamed()):
        problem(await api.put("/v1/accounts/a", content=body, headers=headers), 413)
    body = json.dumps({"accounts": []}).encode() + b" " * 1_100_000
    assert (await api.post("/v1/apply", content=body, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dTpw"},
                {"Authorization": "Bearer k\xe9y"}]
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/placeholders", "/v1/export"])
async def test_without_the_key_it_is_401(api, headers, path):
    api.headers.pop("authorization")
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await api.get(path, headers=raw)
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_key_is_looked_at_before_the_body(api):
    answer = await api.put("/v1/accounts/a", content=b"{", headers={"Authorization": "Bearer x"})
    problem(answer, 401)


async def test_what_is_not_there_is_404_and_what_cannot_be_done_405(api):
    problem(await api.get("/nothing"), 404)
    problem(await api.get("/v1/accounts/"), 404)
    answer = await api.post("/v1/accounts/acme")
    problem(answer, 405)
    assert answer.headers["allow"]


async def test_a_database_that_is_away_is_503(api, monkeypatch, database):
    def away():
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(database, "reading", away)
    problem(await api.get("/v1/accounts"), 503)


async def test_a_fault_of_ours_is_500_and_tells_nothing(api, monkeypatch, database):
    def broken():
        raise RuntimeError("secret")

    monkeypatch.setattr(database, "reading", broken)
    transport = httpx.ASGITransport(api.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://x", headers=api.headers
    ) as client:
        answer = await client.get("/v1/accounts")
    problem(answer, 500)
    assert "secret" not in answer.text


async def test_the_secret_of_google_analytics_is_never_given_out(acme):
    created = await acme.post("/v1/accounts/acme/actions", json=ANALYTICS)
    assert created.status_code == 201
    url = created.headers["location"]
    for path in (url, "/v1/accounts/acme/actions", "/v1/export"):
        assert "very-secret" not in (await acme.get(path)).text
    assert "very-secret" in (await acme.get("/v1/export?secrets=true")).text


async def test_what_was_read_can_be_sent_back(acme):
    created = await acme.post("/v1/accounts/acme/actions", json=ANALYTICS)
    body = created.json()
    body.pop("id")
    version = str(body.pop("version"))
    again = await acme.put(created.headers["location"], json=body, headers={"If-Match": version})
    assert (again.status_code, again.json()["version"]) == (200, 2)
    assert "very-secret" in (await acme.get("/v1/export?secrets=true")).text


async def test_a_mask_is_no_secret(acme):
    masked = json.loads(json.dumps(ANALYTICS).replace("very-secret", "***"))
    fault = only_fault(await acme.post("/v1/accounts/acme/actions", json=masked))
    assert fault["path"] == "google_analytics.api_secret"


async def test_faults_do_not_repeat_secrets(acme):
    wrong = json.loads(json.dumps(ANALYTICS))
    wrong["google_analytics"]["measurement_id"] = "UA-1"
    wrong["target_url"] = "http://user:very-secret@host/a b"
    answer = await acme.post("/v1/accounts/acme/actions", json=wrong)
    problem(answer, 422)
    assert "very-secret" not in answer.text


async def test_plan_apply_and_export_speak_one_document(acme):
    document = {
        "accounts": [
            {
                "id": "acme", "name": "Acme", "actions": [{"id": "crm", **ACTION}],
                "numbers": {"8005550100": {"send": "specific", "action_id": "crm"}},
            }
        ]
    }  # fmt: skip
    planned = (await acme.post("/v1/plan", json=document)).json()
    assert planned["counts"] == {"created": 2, "updated": 0, "deleted": 0, "unchanged": 1}
    assert [change["path"] for change in planned["changes"]] == [
        "acme/action/crm", "acme/number/+18005550100",
    ]  # fmt: skip
    assert (await acme.post("/v1/apply", json=document)).json() == planned
    exported = (await acme.get("/v1/export?account=acme")).json()
    assert (await acme.post("/v1/plan", json=exported)).json()["changes"] == []
    problem(await acme.get("/v1/export?account=nobody"), 404)


async def test_plan_shows_what_differs(acme):
    document = {"accounts": [{"id": "acme", "name": "New", "leadflow_enabled": True}]}
    (change,) = (await acme.post("/v1/plan", json=document)).json()["changes"]
    assert change["fields"] == [
        {"field": "name", "before": "Acme", "after": "New"},
        {"field": "leadflow_enabled", "before": False, "after": True},
    ]


@pytest.mark.parametrize(
    ("account", "path"),
    [
        ({"numbers": {"x": {}}}, "accounts[0].numbers.x"),
        ({"numbers": {"+18005550100": {}, "8005550100": {}}},
         "accounts[0].numbers.8005550100"),
        ({"actions": [{"id": "a", **ACTION}] * 2}, "accounts[0].actions[1].id"),
        ({"pools": {"p": {"send": "specific", "action_id": "no"}}},
         "accounts[0].pools.p.action_id"),
        ({"actions": [{"id": "a", **ACTION, "target_url": "http://***@x/"}]},
         "accounts[0].actions[0].target_url"),
    ],
)  # fmt: skip
async def test_a_fault_in_a_document_names_its_path(api, account, path):
    document = {"accounts": [{"id": "acme", "name": "Acme"} | account]}
    for verb in ("plan", "apply"):
        assert only_fault(await api.post(f"/v1/{verb}", json=document))["path"] == path


async def test_republishing_without_kafka_is_503(api, monkeypatch):
    monkeypatch.setattr("console.republish.KAFKA_SECONDS", 0.2)
    problem(await api.post("/v1/republish"), 503)


async def test_health_needs_no_key(settings, database):
    reason = None
    app = console_app(settings, database, ready=lambda: reason)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        reason = "the database does not answer"
        assert problem(await client.get("/readyz"), 503)["detail"] == reason
        assert "pca_outbox_waiting" in (await client.get("/metrics")).text


async def test_openapi_describes_everything(api):
    schema = (await api.get("/openapi.json")).json()
    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (method, path)
            assert operation["security"] == [{"bearer": []}]
            problem_ = operation["responses"]["422"]["content"]["application/problem+json"]
            assert problem_["schema"] == {"$ref": "#/components/schemas/Problem"}
            if "requestBody" in operation:
                assert operation["requestBody"]["content"]["application/json"]["schema"]


async def test_a_paused_action_is_resumed_by_a_new_version_of_the_same(acme, backend):
    created = await acme.post("/v1/accounts/acme/actions", json=ACTION)
    path, before = created.headers["location"], created.json()
    resumed = await acme.post(f"{path}/resume")
    assert (resumed.status_code, resumed.headers["etag"]) == (200, f'"{before["version"] + 1}"')
    assert resumed.json() == before | {"version": before["version"] + 1}


async def test_what_is_not_there_cannot_be_resumed(acme, backend):
    assert (await acme.post("/v1/accounts/acme/actions/none/resume")).status_code == 404

"""Every rule about actions, as a client of the API and a reader of `pca apply` meets it."""

import json

import pytest
import yaml
from refused import analytics, call_detail, parameters

from console.commands.document_file import read
from console.commands.failure import Failure
from console.store import operations

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

TEMPLATE = {"method": "POST", "body": "template", "template": "{{sid}}", "content_type": "text/x"}


def header(name, value="x"):
    return {"headers": [{"name": name, "value": value}]}


def at(url, **fields):
    return call_detail(target_url=url, **fields)


REFUSED = [
    # Target URL: D27 to D29
    (at("http://h/#a"), "target_url", "http://h/#a", "remove it"),
    (at("http://h/\n"), "target_url", "http://h/\n", "remove it"),
    (at("http://h/a b"), "target_url", "http://h/a b", "write 'http://h/a%20b'"),
    (at("http://\u2615.example/"), "target_url", "http://\u2615.example/", "xn--"),
    (at("http://h:99999/"), "target_url", "http://h:99999/", "1 to 65535"),
    (at("http:///x"), "target_url", "http:///x", "write http://example.com/handler"),
    (at("http://a..b/"), "target_url", "http://a..b/", "allowed are parts"),
    (at("http://u:100%@h/"), "target_url", "http://***@h/", "write it as %25"),
    (at("ftp://u:p@h/"), "target_url", "ftp://***@h/", "http:// or https://"),
    # names: D30, D31
    (call_detail(parameters=parameters("a", "a")), "parameters[1].name", "a", "rename one"),
    (at("http://h/?a", parameters=parameters("a")), "parameters[0].name", "a", "rename one"),
    (call_detail(parameters=parameters("sid"), include_leadflow=True), "parameters[0].name", "sid",
     "leave include_leadflow out"),
    (call_detail(parameters=parameters("st_os"), include_sourcetrak=True), "parameters[0].name",
     "st_os", "leave include_sourcetrak out"),
    (call_detail(parameters=parameters("a", placeholder="b")), "parameters[0].placeholder", "b",
     "allowed are date_time"),
    (call_detail(parameters=[{"name": "a", "placeholder": "sid", "transform": "md5"}]),
     "parameters[0].transform", "md5", "'mask' or 'sha256'"),
    # bodies
    (call_detail(body="json"), "body", "json", "POST or PUT"),
    (call_detail(**TEMPLATE | {"content_type": None}), "content_type", "", "needs it"),
    (call_detail(**TEMPLATE | {"template": None}), "template", "", "needs it"),
    (call_detail(**TEMPLATE | {"template": "{{x}}"}), "template", "{{x}}", "Allowed are date_time"),
    (call_detail(**TEMPLATE | {"content_type": "x"}), "content_type", "x", "application/xml"),
    (call_detail(method="POST", template="x"), "template", "x", "body 'template'"),
    # headers
    (call_detail(**header("a b")), "headers[0].name", "a b", "allowed are letters"),
    (call_detail(**header("Host")), "headers[0].name", "Host", "leave it out"),
    (call_detail(**header("webhook-id")), "headers[0].name", "webhook-id", "choose another"),
    (call_detail(**header("X-A", "very\nsecret")), "headers[0].value", "***", "visible ASCII"),
    (call_detail(method="PUT", **header("Content-Type")), "headers[0].name", "Content-Type",
     "content_type"),
    (call_detail(headers=[{"name": "a", "value": "1"}, {"name": "A", "value": "2"}]),
     "headers[1].name", "A", "remove one"),
    (call_detail(headers={"X-Key": "very-secret"}), "headers", "***", "valid"),
    # conditions
    (call_detail(conditions={"call_types": ["A", "a"]}), "conditions.call_types[1]", "a",
     "remove one"),
    (call_detail(conditions={"tags": [""]}), "conditions.tags[0]", "", "at least 1 character"),
    (call_detail(conditions={"qualified": "x"}), "conditions.qualified", "x", "'source'"),
    # Google Analytics
    (analytics(event_name="1a"), "google_analytics.event_name", "1a", "at most 40"),
    (analytics(event_name="ga_a"), "google_analytics.event_name", "ga_a", "not allowed are"),
    (analytics(event_name="error"), "google_analytics.event_name", "error", "phone_call"),
    (analytics(measurement_id="UA-1"), "google_analytics.measurement_id", "UA-1", "^G-"),
    (analytics(parameters=parameters("a", "a")), "google_analytics.parameters[1].name", "a",
     "rename one"),
    (analytics(parameters=parameters("a", placeholder="caller_id")),
     "google_analytics.parameters[0].placeholder", "caller_id", "allowed is any but"),
    (analytics(parameters=parameters(*(f"p{n}" for n in range(26)))),
     "google_analytics.parameters", None, "at most 25"),
    (analytics() | {"target_url": "http://u:p@h/"}, "target_url", "http://***@h/", "leave it out"),
    (analytics() | {"include_leadflow": True}, "include_leadflow", "true", "leave it out"),
    (analytics() | header("X-Key", "very-secret"), "headers", "***", "leave it out"),
    (call_detail(google_analytics=analytics()["google_analytics"]), "google_analytics", None,
     "leave it out"),
]  # fmt: skip


@pytest.fixture
async def acme(api):
    await api.put("/v1/accounts/acme", json={"name": "Acme"})
    return api


@pytest.mark.parametrize(("action", "path", "given", "allowed"), REFUSED)
async def test_the_api_refuses_at_the_fields_path(acme, action, path, given, allowed):
    answer = await acme.post("/v1/accounts/acme/actions", json=action)
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["errors"]
    assert fault["path"] == path
    assert given is None or fault["given"] == given
    assert allowed in fault["reason"]
    assert "very" not in answer.text


@pytest.mark.parametrize(("action", "path", "given", "allowed"), REFUSED[::3])
def test_pca_apply_refuses_at_the_same_path_before_it_asks_the_console(
    tmp_path, action, path, given, allowed, backend
):
    account = {"id": "acme", "name": "Acme", "actions": [call_detail(id="a"), action | {"id": "b"}]}
    file = tmp_path / "configuration.yaml"
    file.write_text(yaml.safe_dump({"accounts": [account]}))
    with pytest.raises(Failure) as refused:
        read(str(file))
    assert f"accounts[0].actions[1].{path}: " in str(refused.value)
    assert allowed in str(refused.value)
    assert "very" not in str(refused.value)


OLDER = {
    "name": "stored by an older version", "active": True, "scope": "all_calls",
    "option": "call_detail", "target_url": "http://h:0/a b#c?x", "method": "GET",
    "parameters": [{"name": "sid", "placeholder": "gone"}, {"name": "sid", "placeholder": "sid"}],
    "include_leadflow": True, "headers": [{"name": "Host", "value": "a\nb"}],
}  # fmt: skip


async def test_what_an_older_version_stored_is_read_and_published_all_the_same(
    acme, database, publisher, sender
):
    await operations.put(database, "acme", ("action", "old"), OLDER)
    url = "/v1/accounts/acme/actions/old"
    shown = (await acme.get(url)).json()
    assert shown == OLDER | {"id": "old", "version": 2}
    assert (await acme.get("/v1/accounts/acme/actions")).json()["items"] == [shown]
    exported = (await acme.get("/v1/export")).json()["accounts"][0]["actions"]
    assert exported == [OLDER | {"id": "old"}]
    assert (await acme.put("/v1/accounts/acme", json={"name": "B"})).status_code == 200
    assert (await acme.put(url, json=OLDER, headers={"If-Match": "2"})).status_code == 422
    assert (await acme.delete(url)).status_code == 204


def test_nothing_here_is_refused_for_another_reason(backend):
    assert json.dumps(REFUSED)

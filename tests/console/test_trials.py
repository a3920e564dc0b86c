"""Trying an action out: what it would send, and sending it once."""

import ipaddress
import json
from datetime import UTC, datetime

import httpx
import pytest
from aiohttp import web
from measurement import Measurement
from refused import analytics, call_detail, parameters

from console.api import console_app
from console.sample_call import sample_call
from schemas.blocks import CAKE, LEADFLOW, SOURCETRAK
from schemas.placeholders import PLACEHOLDERS
from streaming.settings import Settings

KEY = "the-admin-key"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


class Receiver:
    """A customer's server."""

    def __init__(self):
        self.requests, self.answer = [], web.Response(text="thanks")

    async def start(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def _serve(self, request):
        self.requests.append((request.method, request.path_qs, request.headers.copy(),
                              await request.text()))  # fmt: skip
        return self.answer

    async def stop(self):
        await self._runner.cleanup()


@pytest.fixture
async def receiver():
    one = await Receiver().start()
    yield one
    await one.stop()


@pytest.fixture
async def google():
    one = await Measurement().start()
    yield one
    await one.stop()


@pytest.fixture
def trying(database, settings):
    """`await trying(dispatcher_allow_networks=…)`: a client of a console with an account."""

    async def build(**changes):
        loopback = (ipaddress.ip_network("127.0.0.0/8"),)
        changes = {"dispatcher_allow_networks": loopback} | changes
        own = Settings(**settings.model_dump() | changes)
        transport = httpx.ASGITransport(console_app(own, database, ready=lambda: None))
        client = httpx.AsyncClient(
            transport=transport, base_url="http://console",
            headers={"Authorization": f"Bearer {KEY}"},
        )  # fmt: skip
        features = {"reverse_lookup_enabled": True, "sourcetrak_enabled": True}
        await client.put("/v1/accounts/acme", json={"name": "Acme"} | features)
        return client

    return build


async def sent_once(client, action):
    created = await client.post("/v1/accounts/acme/actions", json=action)
    assert created.status_code == 201, created.text
    answer = await client.post(created.headers["location"] + "/test")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_test_send_sends_the_request_once_and_tells_everything(trying, receiver):
    client = await trying()
    said = await sent_once(
        client,
        call_detail(
            target_url=f"{receiver.url}/a?b=1",
            method="POST",
            parameters=parameters("who", placeholder="caller_id"),
            headers=[{"name": "X-Api-Key", "value": "very-secret"}],
        ),
    )
    ((method, path, headers, body),) = receiver.requests
    assert (method, path, body) == ("POST", "/a?b=1", "who=3125550123")
    assert headers["X-Api-Key"] == "very-secret"
    assert (said["status"], said["body"], said["error"]) == (200, "thanks", "")
    assert said["duration_ms"] > 0
    assert said["headers"]["Content-Type"].startswith("text/plain")
    assert said["request"]["headers"]["X-Api-Key"] == "***"
    assert said["request"]["url"] == f"{receiver.url}/a?b=1"
    assert said["request"]["body"] == "who=3125550123"
    assert said["validation_messages"] is None


async def test_each_test_has_a_webhook_id_of_its_own(trying, receiver):
    client = await trying()
    action = call_detail(target_url=receiver.url, parameters=parameters("sid"))
    for _ in range(2):
        await sent_once(client, action)
    ids = {headers["webhook-id"] for _, _, headers, _ in receiver.requests}
    assert len(ids) == 2
    assert all("sid=test-" in path for _, path, _, _ in receiver.requests)


async def test_a_status_other_than_2xx_is_an_error_and_4_kib_of_the_body_are_shown(
    trying, receiver
):
    receiver.answer = web.Response(status=500, text="é" * 9000)
    said = await sent_once(await trying(), call_detail(target_url=receiver.url))
    assert (said["status"], said["error"]) == (500, "status")
    assert said["detail"] == "the server answered 500"
    assert len(said["body"].encode()) == 4096


async def test_a_redirect_is_shown_and_not_followed(trying, receiver):
    receiver.answer = web.Response(status=302, headers={"Location": "/elsewhere"})
    said = await sent_once(await trying(), call_detail(target_url=receiver.url))
    assert (said["status"], said["headers"]["Location"]) == (302, "/elsewhere")
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("refusing", "why"),
    [
        ({"dispatcher_allow_networks": ()}, "127.0.0.1 is a loopback address"),
        ({"dispatcher_allow_ports": (443,)}, "PCA_DISPATCHER_ALLOW_PORTS allows 443"),
    ],
)
async def test_the_guard_of_the_dispatcher_holds_for_a_test_of_what_was_saved_before_too(
    trying, receiver, refusing, why
):
    saved = await (await trying()).post(
        "/v1/accounts/acme/actions", json=call_detail(target_url=receiver.url)
    )
    client = await trying(**refusing)
    said = (await client.post(saved.headers["location"] + "/test")).json()
    assert (said["status"], said["error"], receiver.requests) == (None, "blocked", [])
    assert why in said["detail"]


async def test_no_connection_is_an_error(trying):
    said = await sent_once(await trying(), call_detail(target_url="http://127.0.0.1:1/"))
    assert (said["status"], said["error"], said["headers"]) == (None, "connect", {})


async def test_a_request_that_cannot_be_made_says_why(trying, receiver):
    url = f"{receiver.url}/?a={'x' * 7970}"
    said = await sent_once(await trying(), call_detail(target_url=url, parameters=parameters("s")))
    assert (said["request"], said["error"], receiver.requests) == (None, "url_too_long", [])


async def test_what_is_not_there_cannot_be_tested(trying):
    client = await trying()
    for path in ("acme/actions/none", "nobody/actions/none"):
        assert (await client.post(f"/v1/accounts/{path}/test")).status_code == 404


async def test_the_label_of_the_called_number_is_the_configured_one(trying, receiver):
    client = await trying()
    await client.put("/v1/accounts/acme/numbers/+18005550100", json={"label": "Mine"})
    one = parameters("label", placeholder="phone_label")
    await sent_once(client, call_detail(target_url=receiver.url, parameters=one))
    assert receiver.requests[0][1] == "/?label=Mine"


async def test_an_event_goes_to_googles_validation_server_and_is_not_counted(trying, google):
    client = await trying(google_analytics_url=google.url)
    chosen = parameters("mins", placeholder="talk_minutes")
    said = await sent_once(client, analytics(api_secret="very-secret", parameters=chosen))
    assert (said["status"], said["validation_messages"]) == (200, [])
    assert said["request"]["url"] == (
        f"{google.url}/debug/mp/collect?measurement_id=G-ABC123&api_secret=***"
    )
    assert "very-secret" not in str(said)
    assert (google.events, len(google.validated)) == ([], 1)
    assert google.queries[0]["api_secret"] == "very-secret"
    assert google.validated[0]["events"] == [{"name": "phone_call", "params": {"mins": 1.1}}]


async def test_what_google_finds_wrong_is_answered(trying, google):
    message = {"fieldPath": "events", "description": "d", "validationCode": "NAME_INVALID"}
    google.complain(message)
    said = await sent_once(await trying(google_analytics_url=google.url), analytics())
    assert said["validation_messages"] == [message]


async def test_an_answer_that_is_no_validation_says_nothing(trying, receiver):
    said = await sent_once(await trying(google_analytics_url=receiver.url), analytics())
    assert (said["validation_messages"], said["body"]) == (None, "thanks")


# previews


async def previewed(client, action, **fields):
    answer = await client.post("/v1/preview", json={"action": action} | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


CALL = {"account_id": "acme", "sid": "s-7", "started_at": "2026-07-01T14:03:22Z",
        "call_type": "inbound", "called_number": "+18005550100"}  # fmt: skip


async def test_a_preview_shows_the_request_and_sends_nothing(trying, receiver):
    action = call_detail(
        target_url=receiver.url.replace("//", "//u:very-secret@") + "/?a=1",
        parameters=parameters("who", placeholder="caller_id"),
    )
    said = await previewed(await trying(), action)
    assert said["request"]["url"] == f"{receiver.url}/?a=1&who=3125550123"
    assert said["request"]["method"] == "GET"
    assert said["request"]["body"] is None
    assert said["request"]["headers"]["Authorization"] == "***"
    assert (said["error"], said["warnings"], receiver.requests) == ("", [], [])


async def test_a_preview_takes_a_call_of_ones_own(trying):
    action = call_detail(parameters=parameters("id"))
    said = await previewed(await trying(), action, call=CALL)
    assert said["request"]["url"] == "https://example.com/handler?id=s-7"


async def test_d33_a_preview_warns_of_long_urls_and_of_those_that_are_not_sent(trying):
    client = await trying()
    long = call_detail(target_url=f"https://e.com/?a={'x' * 2000}")
    said = await previewed(client, long)
    assert "The URL has 2,017 characters" in said["warnings"][0]
    assert (await previewed(client, long | {"method": "POST"}))["warnings"] == []
    endless = call_detail(target_url=f"https://e.com/?a={'x' * 7980}", parameters=parameters("b"))
    said = await previewed(client, endless)
    assert (said["request"], said["error"]) == (None, "url_too_long")


async def test_a_preview_tells_that_a_condition_is_not_met(trying):
    action = call_detail(conditions={"minimum_talk_seconds": 3600})
    said = await previewed(await trying(), action)
    assert said["warnings"] == [
        "The action does not run for this call: its conditions ask for more talk seconds."
    ]


async def test_a_preview_has_the_features_of_the_account_that_it_names(trying):
    client = await trying()
    every = call_detail(include_sourcetrak=True, include_leadflow=True, method="POST", body="json")
    body = json.loads((await previewed(client, every))["request"]["body"])
    assert body.keys() == {"sourcetrak", "leadflow"}
    body = json.loads((await previewed(client, every, account="acme"))["request"]["body"])
    assert body.keys() == {"sourcetrak"}
    answer = await client.post("/v1/preview", json={"action": every, "account": "nobody"})
    assert answer.status_code == 404


async def test_a_preview_of_an_event_masks_its_secret(trying):
    said = await previewed(await trying(), analytics(api_secret="very-secret"))
    assert said["request"]["url"] == (
        "https://www.google-analytics.com/mp/collect?measurement_id=G-ABC123&api_secret=***"
    )
    said = await previewed(await trying(), analytics(), call=CALL)
    assert (said["request"], said["error"]) == (None, "no_client_id")


async def test_a_wrong_action_cannot_be_previewed(trying):
    client = await trying()
    wrong = {"action": call_detail(parameters=parameters("a", "a")), "call": CALL}
    (fault,) = (await client.post("/v1/preview", json=wrong)).json()["errors"]
    assert fault["path"] == "action.parameters[1].name"


async def test_the_invented_call_has_a_value_for_everything(trying):
    every = [{"name": f"_{id_}", "placeholder": id_} for id_ in PLACEHOLDERS]
    action = call_detail(parameters=every, include_sourcetrak=True, include_leadflow=True,
                         method="POST", body="json")  # fmt: skip
    body = json.loads((await previewed(await trying(), action))["request"]["body"])
    sent = {**body, **body["sourcetrak"], **body["leadflow"]}
    absent = {name for name, value in sent.items() if value is None}
    assert absent == {"previous_qualified_source_call", "previous_qualified_destination_call"}
    assert sent.keys() >= {p.id for b in (SOURCETRAK, LEADFLOW, CAKE) for p in b.parameters}


def test_the_invented_call_has_just_ended(backend):
    now = datetime(2026, 7, 1, tzinfo=UTC)
    call = sample_call("acme", "s", now)
    assert call.ended_at == now

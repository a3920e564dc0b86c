"""Canaries in every secret field: none comes out anywhere."""

import ipaddress
import json
import logging

import httpx
import pytest
from aiohttp import web
from refused import analytics, call_detail
from sqlalchemy import select

from console.api import console_app
from console.tables import OutboxRow
from deploy.certificates import Issued
from streaming.settings import Settings

KEY = "the-admin-key"
CLIENT = Issued("client", None, hosts=["client.example"])
SHARED, OTHER = "whsec_" + "CANARY00" * 4, "whsec_" + "CANARY11" * 4
PRIVATE = "whsk_" + "CANARY22" * 5 + "CAA="
PEM_LINE = CLIENT.key_pem.splitlines()[1]

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def sound(**changes):
    return (
        call_detail(
            target_url="https://canary-user:canary-pass@example.com/h?a=1",
            method="POST",
            headers=[{"name": "X-Api-Key", "value": "canary-header"}],
            signing_secrets=[SHARED, PRIVATE],
            tls={"client_certificate": CLIENT.pem, "client_key": CLIENT.key_pem},
        )
        | changes
    )


def clean(text):
    told = [one for one in ("canary", "CANARY", PEM_LINE, "sealed.gAAAA") if one in text]
    assert told == [], text
    return text


@pytest.fixture(autouse=True)
def logged(caplog):
    caplog.set_level(logging.DEBUG)
    yield
    logging.disable()
    clean(caplog.text)
    logging.disable(logging.NOTSET)


async def test_no_answer_of_the_api_holds_one(api, backend):
    await api.put("/v1/accounts/acme", json={"name": "Acme"})
    created = await api.post("/v1/accounts/acme/actions", json=sound())
    assert created.status_code == 201, created.text
    url, read = created.headers["location"], created.json()
    assert read["signing_secrets"] == ["***", "***"]
    assert read["tls"]["client_key"] == "***"
    version = read.pop("version")
    read.pop("id")
    changed = await api.put(url, json=read | {"name": "B"}, headers={"If-Match": str(version)})
    assert changed.status_code == 200, changed.text
    ga = await api.post("/v1/accounts/acme/actions", json=analytics(api_secret="canary-api"))
    document = (await api.get("/v1/export")).json()
    for fields in document["accounts"][0]["actions"]:
        if "tls" in fields:
            fields |= {"signing_secrets": [OTHER], "target_url": sound()["target_url"],
                       "headers": sound()["headers"], "tls": sound()["tls"]}  # fmt: skip
    for answer in (
        created, changed, ga,
        await api.get(url), await api.get("/v1/accounts/acme/actions"), await api.get("/v1/export"),
        await api.post("/v1/plan", json=document), await api.post("/v1/apply", json=document),
        await api.post("/v1/preview", json={"action": sound()}),
        await api.post("/v1/preview", json={"action": read}),
        await api.post(f"{url}/signing-secrets", json={"kind": "ed25519"},
                       headers={"If-Match": "*"}),
    ):  # fmt: skip
        assert answer.status_code < 300, answer.text
        clean(answer.text)
    backup = (await api.get("/v1/export?secrets=true")).text
    for secret in (OTHER, "canary-user:canary-pass", "canary-header", "canary-api", PEM_LINE):
        assert secret in backup


async def test_no_refusal_holds_one(api, backend):
    await api.put("/v1/accounts/acme", json={"name": "Acme"})
    wrong = [
        sound(signing_secrets=[SHARED + "!"]),
        sound(signing_secrets=[SHARED, SHARED]),
        sound(signing_secrets=SHARED),
        sound(tls={"client_certificate": CLIENT.key_pem, "client_key": CLIENT.key_pem}),
        sound(tls={"client_certificate": CLIENT.pem, "client_key": CLIENT.key_pem[:-40]}),
        sound(tls=CLIENT.key_pem),
        sound(target_url="http://canary-user:canary-pass@h/"),
        sound(option="google_analytics"),
        sound(parameters=SHARED),
        sound(headers=[{"name": "X-Api-Key", "value": "canary\n"}]),
        sound(headers={"X-Api-Key": "canary"}),
        sound(headers=[{"name": "Authorization", "value": "canary"}]),
        [sound()],
    ]
    for body in wrong:
        answer = await api.post("/v1/accounts/acme/actions", json=body)
        assert answer.status_code == 422, body
        clean(answer.text)
        document = {"accounts": [{"id": "acme", "name": "A", "actions": [body]}]}
        answer = await api.post("/v1/apply", json=document)
        assert answer.status_code == 422
        clean(answer.text)


async def test_neither_the_file_nor_what_goes_to_kafka_holds_one(api, database, backend):
    await api.put("/v1/accounts/acme", json={"name": "Acme"})
    created = await api.post("/v1/accounts/acme/actions", json=sound())
    await api.post(created.headers["location"] + "/signing-secrets", json={},
                   headers={"If-Match": "*"})  # fmt: skip
    async with database.reading() as session:
        rows = await session.scalars(select(OutboxRow.value))
        values = b"".join(value for value in rows if value)
    stored = b"".join(file.read_bytes() for file in database.file.parent.glob("console.db*"))
    for text in (values.decode(), stored.decode("latin-1")):
        assert "sealed.gAAAA" in text
        clean(text.replace("sealed.gAAAA", ""))


@pytest.fixture
async def echo():
    """A server that answers with everything it was sent."""

    async def serve(request):
        said = dict(request.headers.items())
        return web.json_response(
            said | {"body": await request.text()}, headers={"X-Echo": str(said)}
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_test_send_to_a_server_that_repeats_everything_shows_none(
    database, settings, echo, backend
):
    own = Settings(
        **settings.model_dump()
        | {"dispatcher_allow_networks": (ipaddress.ip_network("127.0.0.0/8"),)}
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(console_app(own, database, ready=lambda: None)),
        base_url="http://console", headers={"Authorization": f"Bearer {KEY}"},
    ) as client:  # fmt: skip
        await client.put("/v1/accounts/acme", json={"name": "Acme"})
        fields = sound(target_url=f"http://canary-user:canary-pass@{echo}/", tls=None)
        created = await client.post("/v1/accounts/acme/actions", json=fields)
        said = await client.post(created.headers["location"] + "/test")
    answer = json.loads(clean(said.text))
    assert answer["status"] == 200
    signature = answer["request"]["headers"]["webhook-signature"]
    assert [part[:4] for part in signature.split(" ")] == ["v1,", "v1a,"] or signature.count(
        " "
    ) == 1
    assert "***" in answer["body"]

"""Where requests may go, judged when an action is saved: by the API, by plan and by apply."""

import socket
from ipaddress import ip_network

import httpx
import pytest
from refused import analytics, call_detail

from console.api import console_app
from console.store import operations
from streaming.settings import Settings

KEY = "the-admin-key"
ACTIONS = "/v1/accounts/acme/actions"
LOOPBACK = (ip_network("127.0.0.0/8"),)
LET_THROUGH = "PCA_DISPATCHER_ALLOW_NETWORKS="

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def nothing_is_looked_up(monkeypatch):
    def look_up(host, *args, **named):
        raise AssertionError(f"{host} was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def console(database, settings):
    """`await console(dispatcher_allow_ports=(443,))`: a client of a console with an account."""

    async def build(**changes):
        own = Settings(**settings.model_dump() | changes)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(console_app(own, database, ready=lambda: None)),
            base_url="http://console",
            headers={"Authorization": f"Bearer {KEY}"},
        )
        await client.put("/v1/accounts/acme", json={"name": "Acme"})
        return client

    return build


def document(*actions):
    named = [action | {"id": f"a-{n}"} for n, action in enumerate(actions)]
    return {"accounts": [{"id": "other", "name": "Other"},
                         {"id": "acme", "name": "Acme", "actions": named}]}  # fmt: skip


def at(url, **fields):
    return call_detail(target_url=url, **fields)


REFUSED = [
    ("http://127.0.0.1:9000/", "127.0.0.1 is a loopback address", "127.0.0.0/8"),
    ("https://10.1.2.3/", "10.1.2.3 is a private address", "10.0.0.0/8"),
    ("http://169.254.169.254/latest", "a cloud's metadata service", "169.254.169.254/32"),
    ("http://168.63.129.16/", "a cloud's metadata service", "168.63.129.16/32"),
    ("http://0x7f.1/", "0x7f.1 means 127.0.0.1", "127.0.0.0/8"),
    ("http://2130706433/", "2130706433 means 127.0.0.1", "127.0.0.0/8"),
    ("http://127.1:8080/a?b=c", "127.1 means 127.0.0.1", "127.0.0.0/8"),
    ("http://0177.0.0.1/", "means 127.0.0.1", "127.0.0.0/8"),
    ("http://127.0.0.1./", "means 127.0.0.1", "127.0.0.0/8"),
    ("http://[::1]:9000/", "::1 is a loopback address", "::1/128"),
    ("http://[::ffff:7f00:1]/", "IPv4-mapped form of 127.0.0.1", "127.0.0.0/8"),
    ("http://[64:ff9b::7f00:1]/", "NAT64 form of 127.0.0.1", "127.0.0.0/8"),
    ("http://[fe80::1]/", "fe80::1 is a link-local address", "fe80::/10"),
    ("http://①②⑦.0.0.1/", "127.0.0.1 is a loopback address", "127.0.0.0/8"),
    ("http://127。0。0。1/", "127.0.0.1 is a loopback address", "127.0.0.0/8"),
    ("http://localhost/", "localhost means 127.0.0.1", "127.0.0.0/8"),
    ("http://LOCALHOST.:81/", "localhost. means 127.0.0.1", "127.0.0.0/8"),
    ("http://crm.localhost/", "means 127.0.0.1", "127.0.0.0/8"),
    ("http://metadata.google.internal/", "metadata service", "169.254.169.254/32"),
]


@pytest.mark.parametrize(("url", "what", "network"), REFUSED)
async def test_an_address_that_is_not_public_is_refused_and_told_what_lets_it_through(
    console, url, what, network
):
    client = await console()
    answer = await client.post(ACTIONS, json=at(url))
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert (fault["path"], fault["given"]) == ("target_url", url)
    assert what in fault["reason"]
    assert LET_THROUGH + network + " " in fault["reason"]
    assert (await client.get(ACTIONS)).json()["items"] == []


@pytest.mark.parametrize(("url", "what", "network"), REFUSED)
async def test_what_the_refusal_proposes_lets_it_be_saved(console, url, what, network):
    client = await console(dispatcher_allow_networks=(ip_network(network),))
    assert (await client.post(ACTIONS, json=at(url))).status_code == 201


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "http://bücher.example/",
        "http://1.1.1.1:8080/",
        "http://16843009/",
        "https://[2606:4700::1111]/",
        "http://intranet/",
        "http://rebound.example/",
    ],
)
async def test_public_addresses_and_names_are_saved_and_no_name_is_looked_up(console, url):
    client = await console()
    assert (await client.post(ACTIONS, json=at(url))).status_code == 201
    answer = await client.post("/v1/apply", json=document(at(url)))
    assert answer.status_code == 200, answer.text


async def test_a_change_is_judged_as_a_new_one_is(console):
    client = await console()
    url = (await client.post(ACTIONS, json=at("https://example.com/"))).headers["location"]
    answer = await client.put(url, json=at("http://127.0.0.1/"), headers={"If-Match": "*"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "target_url"
    assert (await client.get(url)).json()["target_url"] == "https://example.com/"


@pytest.mark.parametrize("route", ["plan", "apply"])
async def test_a_document_is_told_of_every_fault_with_its_path(console, route):
    client = await console()
    actions = [at("http://127.1/"), at("https://example.com/"), at("http://localhost/"),
               analytics()]  # fmt: skip
    answer = await client.post(f"/v1/{route}", json=document(*actions))
    assert answer.status_code == 422
    assert [(fault["path"], fault["given"]) for fault in answer.json()["errors"]] == [
        ("accounts[1].actions[0].target_url", "http://127.1/"),
        ("accounts[1].actions[2].target_url", "http://localhost/"),
    ]
    assert (await client.get("/v1/accounts/other")).status_code == 404


async def test_an_action_that_is_not_active_is_judged_too(console):
    client = await console()
    answer = await client.post(ACTIONS, json=at("http://127.0.0.1/", active=False))
    assert answer.status_code == 422


async def test_no_password_stands_in_the_refusal(console):
    client = await console()
    answer = await client.post(ACTIONS, json=at("http://me:very-secret@127.0.0.1/"))
    assert answer.json()["errors"][0]["given"] == "http://***@127.0.0.1/"
    assert "very-secret" not in answer.text


async def test_a_receiver_on_this_machine_can_be_saved_where_the_operator_allows_it(console):
    client = await console(dispatcher_allow_networks=LOOPBACK)
    for url in ("http://127.0.0.1:9000/", "http://localhost:9000/", "http://0x7f.1/"):
        assert (await client.post(ACTIONS, json=at(url))).status_code == 201
    for url in ("http://[::1]:9000/", "http://10.0.0.1/", "http://ip6-localhost/"):
        assert (await client.post(ACTIONS, json=at(url))).status_code == 422


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://example.com/", 201),
        ("https://example.com:8443/", 201),
        ("http://example.com:443/", 201),
        ("http://example.com/", 422),
        ("https://example.com:22/", 422),
        ("https://1.1.1.1:80/", 422),
    ],
)
async def test_ports_can_be_limited(console, url, status):
    client = await console(dispatcher_allow_ports=(443, 8443))
    answer = await client.post(ACTIONS, json=at(url))
    assert answer.status_code == status
    if status == 422:
        (fault,) = answer.json()["errors"]
        assert fault["path"] == "target_url"
        assert "PCA_DISPATCHER_ALLOW_PORTS allows 443, 8443" in fault["reason"]


async def test_what_is_stored_already_is_read_and_exported_and_only_judged_when_saved_again(
    console, database
):
    settings = at("http://127.0.0.1:9000/") | {"active": True, "option": "call_detail"}
    client = await console(dispatcher_allow_networks=LOOPBACK)
    assert (await client.post("/v1/apply", json=document(settings))).status_code == 200
    strict = await console()
    url = f"{ACTIONS}/a-0"
    stored = await strict.get(url)
    assert (stored.status_code, stored.json()["target_url"]) == (200, "http://127.0.0.1:9000/")
    exported = (await strict.get("/v1/export")).json()
    account = next(one for one in exported["accounts"] if one["id"] == "acme")
    assert account["actions"][0]["target_url"] == "http://127.0.0.1:9000/"
    assert (await strict.post("/v1/apply", json=exported)).status_code == 422
    answer = await strict.put(url, json=settings, headers={"If-Match": "*"})
    assert answer.status_code == 422
    assert (await strict.delete(url)).status_code == 204


async def test_a_test_send_of_what_was_stored_before_is_refused_as_a_delivery_is(console, database):
    client = await console()
    settings = at("http://0x7f.1:9/") | {
        "active": True, "option": "call_detail", "method": "GET", "parameters": [],
    }  # fmt: skip
    await operations.put(database, "acme", ("action", "old"), settings)
    said = (await client.post(f"{ACTIONS}/old/test")).json()
    assert (said["status"], said["error"]) == (None, "blocked")
    assert "0x7f.1 means 127.0.0.1, which is a loopback address" in said["detail"]

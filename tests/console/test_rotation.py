"""New signing secrets by the API and by `pca`."""

import base64

import pytest
from refused import analytics, call_detail

from console.store.state import find
from dispatcher.signature import signer
from schemas.signing import public_key

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
OLD = "whsec_" + "A" * 32


@pytest.fixture
async def action(api):
    """`await action(signing_secrets=…)`: the path of a new action's signing secrets."""

    async def build(fields=None, **changes):
        await api.put("/v1/accounts/acme", json={"name": "Acme"})
        body = fields or call_detail(**changes)
        created = await api.post("/v1/accounts/acme/actions", json=body)
        assert created.status_code == 201, created.text
        return created.headers["location"]

    return build


@pytest.fixture
def stored(database):
    """`await stored(path)`: the signing secrets as they are."""

    async def secrets(path):
        async with database.reading() as session:
            entity = await find(session, "acme", ("action", path.rpartition("/")[2]))
        return entity.settings.get("signing_secrets", [])

    return secrets


async def rotated(api, path, kind=None, version="*"):
    body = {} if kind is None else {"kind": kind}
    return await api.post(f"{path}/signing-secrets", json=body, headers={"If-Match": version})


async def test_a_new_secret_is_answered_once_and_stands_first(api, action, stored, backend):
    path = await action(signing_secrets=[OLD])
    answer = await rotated(api, path, "hmac", "2")
    made = answer.json()
    assert (answer.status_code, made["version"], answer.headers["etag"]) == (201, 3, '"3"')
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    assert made["public_key"] is None
    assert await stored(path) == [made["secret"], OLD]
    assert made["secret"] not in (await api.get(path)).text


async def test_the_one_before_the_one_before_is_dropped(api, action, stored, backend):
    path = await action()
    made = [(await rotated(api, path)).json()["secret"] for _ in range(3)]
    assert await stored(path) == [made[2], made[1]]


async def test_of_a_key_pair_only_the_public_key_is_answered(api, action, stored, backend):
    path = await action(signing_secrets=[OLD])
    answer = await rotated(api, path, "ed25519")
    made = answer.json()
    private, old = await stored(path)
    assert (made["secret"], made["public_key"], old) == (None, public_key(private), OLD)
    assert private not in answer.text
    assert signer([private])("i", "1", b"").startswith("v1a,")


@pytest.mark.parametrize(
    ("version", "status"), [("1", 412), ("x", 400), (None, 428)]
)  # fmt: skip
async def test_nobody_rotates_over_somebody_elses_change(
    api, action, stored, backend, version, status
):
    path = await action(signing_secrets=[OLD])
    headers = {} if version is None else {"If-Match": version}
    answer = await api.post(f"{path}/signing-secrets", json={}, headers=headers)
    assert answer.status_code == status
    assert await stored(path) == [OLD]


async def test_there_must_be_such_an_action(api, action, backend):
    await action()
    assert (await rotated(api, "/v1/accounts/acme/actions/none")).status_code == 404
    assert (await rotated(api, "/v1/accounts/none/actions/x")).status_code == 404


async def test_google_analytics_is_not_signed_for(api, action, backend):
    path = await action(analytics())
    answer = await rotated(api, path)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "option"


async def test_an_unknown_kind_is_refused_with_those_allowed(api, action, backend):
    answer = await rotated(api, await action(), "rsa")
    assert answer.json()["errors"][0]["reason"] == "Input should be 'hmac' or 'ed25519'"


async def test_it_is_described_with_examples(api, backend):
    paths = (await api.get("/openapi.json")).json()["paths"]
    post = paths["/v1/accounts/{account}/actions/{action}/signing-secrets"]["post"]
    schema = post["requestBody"]["content"]["application/json"]
    assert {"kind": "ed25519"} in schema.get("examples", schema["schema"].get("examples", []))
    assert {"201", "404", "412", "428"} <= post["responses"].keys()

"""Secrets in actions go in and never come out."""

import pytest

from console.store.masks import mask, unmask
from deploy.certificates import Issued
from schemas.secret_fields import Unopened

HOST = "https://example.com/h"
KEY = {"name": "X-Api-Key", "value": "very-secret"}
PLAIN = {"name": "X-Plain", "value": "shown"}
HIDDEN = {"name": "X-Api-Key", "value": "***"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@example.com/a?b=@c", "https://***@example.com/a?b=@c"),
        ("https://u:p'w@example.com/", "https://***@example.com/"),
        ("https://u@x:p@example.com/", "https://***@example.com/"),
        ("https://example.com/@me", "https://example.com/@me"),
    ],
)
def test_d28_the_user_in_a_target_url_is_masked_however_it_is_written(url, shown):
    assert mask({"target_url": url})["target_url"] == shown


def test_only_headers_whose_names_say_so_are_masked():
    assert mask({"target_url": HOST, "headers": [KEY, PLAIN]})["headers"] == [HIDDEN, PLAIN]


def test_masking_leaves_the_settings_as_they_were():
    settings = {"target_url": "https://u:p@h/", "headers": [dict(KEY)],
                "google_analytics": {"api_secret": "s"}}  # fmt: skip
    shown = mask(settings)
    assert (settings["headers"], settings["google_analytics"]) == ([KEY], {"api_secret": "s"})
    assert shown["google_analytics"] == {"api_secret": "***"}


def test_a_masked_header_keeps_what_is_stored_whatever_the_case_of_its_name():
    sent = {"target_url": HOST, "headers": [PLAIN, {"name": "x-api-key", "value": "***"}]}
    settings, faults = unmask(sent, {"target_url": HOST, "headers": [KEY]})
    assert faults == []
    assert settings["headers"] == [PLAIN, {"name": "x-api-key", "value": "very-secret"}]


def test_a_new_value_replaces_the_stored_one():
    sent = {"target_url": HOST, "headers": [{"name": "X-Api-Key", "value": "new"}]}
    assert unmask(sent, {"target_url": HOST, "headers": [KEY]}) == (sent, [])


@pytest.mark.parametrize(
    "stored", [None, {"target_url": HOST}, {"target_url": HOST, "headers": [PLAIN]}]
)
def test_a_mask_that_stands_for_nothing_is_refused_with_its_path(stored):
    _, (fault,) = unmask({"target_url": HOST, "headers": [PLAIN, HIDDEN]}, stored, "a[0].")
    assert fault["path"] == "a[0].headers[1].value"


def test_a_stored_key_does_not_go_to_another_server():
    sent = {"target_url": "https://evil.example/h", "headers": [HIDDEN]}
    _, faults = unmask(sent, {"target_url": HOST, "headers": [KEY]})
    assert [fault["path"] for fault in faults] == ["headers[0].value"]


def test_three_stars_in_a_header_that_is_no_secret_are_three_stars():
    sent = {"target_url": HOST, "headers": [{"name": "X-Plain", "value": "***"}]}
    assert unmask(sent, None) == (sent, [])


A, B, C = ("whsec_" + letter * 32 for letter in "ABC")
CLIENT, OTHER = (Issued(name, None, hosts=[name]) for name in ("client.example", "other.example"))
TLS = {"verify": True, "client_certificate": CLIENT.pem, "client_key": CLIENT.key_pem}


def test_signing_secrets_and_client_keys_are_masked_and_the_rest_is_not():
    shown = mask({"target_url": HOST, "signing_secrets": [A, B], "tls": TLS})
    assert shown["signing_secrets"] == ["***", "***"]
    assert shown["tls"] == TLS | {"client_key": "***"}


def signed(*secrets, url=HOST, tls=None):
    fields = {"target_url": url, "signing_secrets": list(secrets)}
    return fields if tls is None else fields | {"tls": tls}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (["***", "***"], [A, B]),
        (["***"], [A]),
        ([C, "***"], [C, B]),
        (["***", C], [A, C]),
        ([], []),
        ([C], [C]),
    ],
)
def test_a_masked_signing_secret_keeps_the_one_in_its_place(sent, kept):
    settings, faults = unmask(signed(*sent), signed(A, B))
    assert (settings["signing_secrets"], faults) == (kept, [])


def test_a_masked_signing_secret_beyond_those_stored_is_refused_with_its_path():
    _, (fault,) = unmask(signed("***", "***"), signed(A), "a[0].")
    assert fault["path"] == "a[0].signing_secrets[1]"


def test_what_could_not_be_judged_of_a_mask_is_judged_then():
    _, (fault,) = unmask(signed("***", "***", C), signed(A, B), "a[0].")
    assert fault["path"] == "a[0].signing_secrets[2]"
    assert "one too many" in fault["reason"]
    _, (fault,) = unmask(signed("***", A), signed(A, B))
    assert (fault["path"], fault["given"]) == ("signing_secrets[1]", "")


def test_a_masked_client_key_keeps_what_is_stored():
    sent = signed(tls=TLS | {"client_key": "***", "verify": False})
    settings, faults = unmask(sent, signed(tls=TLS))
    assert faults == []
    assert settings["tls"] == TLS | {"verify": False}


def test_a_masked_client_key_beside_another_certificate_is_refused():
    sent = signed(tls=TLS | {"client_key": "***", "client_certificate": OTHER.pem})
    _, (fault,) = unmask(sent, signed(tls=TLS))
    assert fault["path"] == "tls.client_key"
    assert "does not belong to client_certificate" in fault["reason"]
    assert CLIENT.key_pem not in str(fault)


@pytest.mark.parametrize("stored", [None, signed(), signed(tls={"verify": True})])
def test_a_masked_client_key_that_stands_for_nothing_is_refused(stored):
    _, (fault,) = unmask(signed(tls=TLS | {"client_key": "***"}), stored)
    assert fault["path"] == "tls.client_key"


@pytest.mark.parametrize("url", ["https://evil.example/h", "http://example.com/h",
                                 "https://example.com:444/h"])  # fmt: skip
def test_neither_goes_to_another_server(url):
    sent = signed("***", url=url, tls=TLS | {"client_key": "***"})
    _, faults = unmask(sent, signed(A, tls=TLS))
    assert [fault["path"] for fault in faults] == ["signing_secrets[0]", "tls.client_key"]


def test_what_no_key_opened_is_masked_and_kept_as_it_is():
    closed = Unopened("sealed.gAAAAAx")
    stored = signed(closed, tls=TLS | {"client_key": closed},
                    url=Unopened("https://sealed.gAAAAAx@example.com/h"))  # fmt: skip
    shown = mask(stored)
    assert "gAAAAA" not in str(shown)
    settings, faults = unmask(shown, stored)
    assert (settings, faults) == (stored, [])
    assert type(settings["target_url"]) is Unopened
    assert type(settings["signing_secrets"][0]) is Unopened


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_the_api_never_gives_a_headers_secret_out(api, backend):
    await api.put("/v1/accounts/acme", json={"name": "Acme"})
    body = {"name": "A", "scope": "all_calls", "target_url": HOST, "headers": [KEY, PLAIN]}
    created = await api.post("/v1/accounts/acme/actions", json=body)
    url = created.headers["location"]
    read = (await api.get(url)).json()
    assert read["headers"] == [HIDDEN, PLAIN]
    read.pop("id")
    version = str(read.pop("version"))
    changed = await api.put(url, json=read | {"name": "B"}, headers={"If-Match": version})
    assert changed.status_code == 200
    for answer in (created, changed, await api.get("/v1/export")):
        assert "very-secret" not in answer.text
    assert "very-secret" in (await api.get("/v1/export?secrets=true")).text
    document = (await api.get("/v1/export")).json()
    assert (await api.post("/v1/plan", json=document)).json()["changes"] == []
    document["accounts"][0]["actions"][0]["headers"][0]["value"] = "new-secret"
    (change,) = (await api.post("/v1/plan", json=document)).json()["changes"]
    assert "secret" not in str(change["fields"])

"""Secrets in actions go in and never come out."""

import pytest

from console.store.masks import mask, unmask

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

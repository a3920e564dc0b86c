"""Secrets of actions sealed and opened; what no key opens is kept as it is."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.sealing import Sealer, is_key, new_key, unopened
from schemas.secret_fields import Unopened, with_secrets
from schemas.targets import has_user

OLD, NEW = new_key(), new_key()
SEALER = Sealer([NEW])
ACTION = {
    "name": "CRM",
    "target_url": "https://user:canary1@example.com/a@b?x=@",
    "headers": [{"name": "X-Api-Key", "value": "canary2"}, {"name": "X-Plain", "value": "shown"}],
    "google_analytics": {"measurement_id": "G-ABC123", "api_secret": "canary3"},
    "signing_secrets": ["canary4", "canary5"],
    "tls": {"verify": True, "client_certificate": "public", "client_key": "canary6"},
}
PATHS = ["target_url", "headers[0].value", "signing_secrets[0]", "signing_secrets[1]",
         "google_analytics.api_secret", "tls.client_key"]  # fmt: skip


def test_sealed_nothing_secret_is_left_and_nothing_else_is_changed():
    sealed = SEALER.sealed(ACTION)
    text = json.dumps(sealed)
    assert "canary" not in text
    assert text.count("sealed.gAAAAA") == 6
    assert (sealed["name"], sealed["headers"][1]) == ("CRM", ACTION["headers"][1])
    assert (sealed["tls"]["client_certificate"], sealed["target_url"][-20:]) == (
        "public", "@example.com/a@b?x=@",
    )  # fmt: skip


def test_opened_it_is_what_it_was():
    given_ = copy.deepcopy(ACTION)
    assert SEALER.opened(SEALER.sealed(given_)) == ACTION
    assert given_ == ACTION


def test_each_time_the_text_is_another():
    assert SEALER.seal("canary") != SEALER.seal("canary")


def test_what_was_never_sealed_is_read_as_it_is():
    assert SEALER.opened(ACTION) == ACTION
    assert unopened(SEALER.opened(ACTION)) == []


@pytest.mark.parametrize("text", ["sealed.", "sealed.x", "sealed.gAAAAA!", "xsealed.gAAAAAB", ""])
def test_what_only_begins_like_it_is_plain(text):
    assert type(SEALER.open(text)) is str
    assert SEALER.open(text) == text


def test_a_url_with_a_sealed_user_is_still_a_url_with_a_user():
    sealed = SEALER.sealed(ACTION)["target_url"]
    assert has_user(sealed)
    assert SEALER.opened({"target_url": sealed})["target_url"] == ACTION["target_url"]


def test_every_key_opens_and_the_first_seals():
    both = Sealer([NEW, OLD])
    assert both.open(Sealer([OLD]).seal("canary")) == "canary"
    assert Sealer([NEW]).open(both.seal("canary")) == "canary"
    assert isinstance(Sealer([OLD]).open(both.seal("canary")), Unopened)


@pytest.mark.parametrize("other", [Sealer([OLD]), Sealer([])])
def test_without_the_key_the_fields_are_named_and_kept_as_they_are(other):
    sealed = SEALER.sealed(ACTION)
    kept = other.opened(sealed)
    assert kept == sealed
    assert unopened(kept) == PATHS
    assert SEALER.opened(Sealer([OLD]).sealed(kept)) == ACTION


def test_somebody_elses_sealed_secret_given_as_ones_own_is_not_opened():
    """Or whoever reads a topic could have it sent to a server of his own."""
    stolen = SEALER.seal("canary")
    action = {"target_url": f"https://{stolen}@evil.example/",
              "headers": [{"name": "X-Api-Key", "value": stolen}]}  # fmt: skip
    assert SEALER.opened(SEALER.sealed(action)) == action


def test_a_changed_token_is_not_opened():
    sealed = SEALER.seal("canary")
    middle = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    assert isinstance(SEALER.open(middle), Unopened)


def test_sealing_without_a_key_is_a_fault_of_ours():
    with pytest.raises(AssertionError):
        Sealer([]).seal("canary")


def test_what_is_a_key():
    assert is_key(new_key())
    assert not any(map(is_key, ["", "short", new_key()[:-2], new_key() + "A", "é" * 44, "!" * 44]))


@given(st.text())
def test_any_text_comes_back(text):
    assert SEALER.open(SEALER.seal(text)) == text


USER = st.text(st.sampled_from("abAB09:@%.-_~!$&'()*+,;="), max_size=30)


@given(USER, st.sampled_from(["", "/", "/a@b", "?q=a@b:c", ":8080/x"]))
def test_any_user_of_a_url_comes_back(user, rest):
    url = f"https://{user}@example.com{rest}"
    sealed = SEALER.sealed({"target_url": url})["target_url"]
    assert sealed.startswith("https://sealed.gAAAAA")
    assert sealed.endswith(f"@example.com{rest}")
    assert SEALER.opened({"target_url": sealed})["target_url"] == url


def test_an_action_without_secrets_has_none():
    plain = {"target_url": "https://example.com/@", "headers": [{"name": "X", "value": "v"}],
             "signing_secrets": [], "google_analytics": None,
             "tls": {"verify": True, "client_key": ""}}  # fmt: skip
    assert with_secrets(plain, lambda *_: pytest.fail("there is none")) == plain

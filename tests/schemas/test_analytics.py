"""The Google Analytics® option: what the Measurement Protocol would drop is refused when saved."""

from __future__ import annotations

import pytest
from refused import analytics, call_detail, parameters, refused

from schemas.configuration import Action, ActionDocument
from schemas.placeholders import PLACEHOLDERS

PERSONAL = [
    id_
    for id_ in PLACEHOLDERS
    if id_ in ("caller_id", "called_number", "transferred_to_number") or id_.startswith("lookup_")
]


def event(**fields) -> dict[str, str]:
    """The faults of an event, by path below google_analytics."""
    faults = refused(Action, analytics(**fields))
    return {path.removeprefix("google_analytics."): reason for path, reason in faults.items()}


@pytest.mark.parametrize("name", ["", "1a", "_a", "a b", "a-b", "é", "a" * 41, "a\n"])
def test_names_are_a_letter_and_then_letters_digits_and_underscores(name):
    assert event(event_name=name)["event_name"].startswith("is no name for Google Analytics")
    fault = event(parameters=parameters(name))
    assert fault["parameters[0].name"].startswith("is no name for Google Analytics")


@pytest.mark.parametrize("prefix", ["google_", "ga_", "firebase_"])
def test_reserved_prefixes_are_refused(prefix):
    reason = "starts as Google's own names do; not allowed are google_, ga_, firebase_"
    assert event(event_name=f"{prefix}x") == {"event_name": reason}
    assert event(parameters=parameters(f"{prefix}x")) == {"parameters[0].name": reason}


@pytest.mark.parametrize("name", ["session_start", "first_visit", "error", "user_engagement"])
def test_events_of_googles_own_are_refused(name):
    assert event(event_name=name)["event_name"].startswith("is an event of Google's own")


def test_two_parameters_of_one_name_are_refused_at_the_second():
    fault = event(parameters=parameters("a", "b", "a"))
    assert fault == {"parameters[2].name": "is the name of another one too; rename one"}


def test_there_are_25_parameters_at_most():
    names = [f"p{n}" for n in range(26)]
    assert Action.model_validate(analytics(parameters=parameters(*names[:25])))
    assert "at most 25 items" in event(parameters=parameters(*names))["parameters"]


@pytest.mark.parametrize("transform", [None, "mask", "sha256"])
@pytest.mark.parametrize("placeholder", PERSONAL)
def test_what_identifies_a_person_is_refused_hashed_or_not(placeholder, transform):
    one = {"name": "a", "placeholder": placeholder, "transform": transform}
    fault = event(parameters=[one])
    assert fault["parameters[0].placeholder"].startswith("identifies a person")


def test_there_are_nine_of_those():
    assert len(PERSONAL) == 9


@pytest.mark.parametrize("placeholder", sorted(PLACEHOLDERS.keys() - set(PERSONAL)))
def test_every_other_placeholder_is_allowed(placeholder):
    assert Action.model_validate(analytics(parameters=parameters("a", placeholder=placeholder)))


@pytest.mark.parametrize("measurement_id", ["UA-1234", "g-abc123", "G-", "G-ABC 123", "G-ABC123\n"])
def test_a_measurement_id_is_that_of_google_analytics_4(measurement_id):
    fault = event(measurement_id=measurement_id)
    assert fault["measurement_id"].startswith("String should match pattern '^G-")


def test_a_secret_is_needed():
    assert list(event(api_secret="")) == ["api_secret"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target_url", "https://example.com/"),
        ("method", "GET"),
        ("parameters", []),
        ("include_sourcetrak", True),
        ("include_leadflow", True),
        ("body", "json"),
        ("template", "x"),
        ("content_type", "text/plain"),
        ("headers", [{"name": "X-A", "value": "b"}]),
    ],
)
def test_settings_of_call_details_are_refused(field, value):
    fault = refused(Action, analytics() | {field: value})
    assert fault[field].startswith("belongs to option call_detail")


def test_what_was_read_may_be_sent_back():
    stored = {"include_sourcetrak": False, "include_leadflow": False, "body": "form", "headers": []}
    assert Action.model_validate(analytics() | stored)


def test_conditions_revisions_and_omit_empty_are_for_both_options():
    fields = {"conditions": {"tags": ["a"]}, "revisions": True, "omit_empty": True}
    assert Action.model_validate(analytics() | fields)


def test_the_option_needs_its_settings():
    fields = call_detail(option="google_analytics") | {"google_analytics": None}
    fields.pop("target_url")
    assert refused(ActionDocument, fields | {"id": "a"}) == {
        "google_analytics": "is missing: option google_analytics needs it"
    }

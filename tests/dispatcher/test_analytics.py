"""Events for Google Analytics: one a call, within the Measurement Protocol's limits, or skipped."""

import ipaddress
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measurement import Measurement, faults

from dispatcher.analytics import MAX_AGE, VALIDATE, compile_event
from dispatcher.flight import FlightReader
from dispatcher.guard import Guard
from dispatcher.request import Unsendable
from dispatcher.transport.reference import AiohttpTransport
from schemas.placeholders import PLACEHOLDERS
from streaming import metrics

BASE = "https://analytics.example"
NOW = 1_800_000_000_000_000
VISITOR = {"google_ua_client_id": "GA1.2.123456.7654321"}
ALLOWED = [
    id_
    for id_ in PLACEHOLDERS
    if id_ not in ("caller_id", "called_number", "transferred_to_number")
    and not id_.startswith("lookup_")
]


@pytest.fixture(scope="session")
def event_action(action):
    """`event_action({"mins": "talk_minutes"}, api_secret="s")`: an Action record."""

    def build(parameters=None, /, *, omit_empty=False, **event):
        chosen = [
            {"name": name, "placeholder": placeholder}
            | ({"transform": transform} if transform else {})
            for name, (placeholder, _, transform) in (
                (name, id_.partition(":")) for name, id_ in (parameters or {}).items()
            )
        ]
        settings = {
            "measurement_id": "G-ABC123", "api_secret": "very-secret", "event_name": "phone_call",
            "parameters": chosen,
        } | event  # fmt: skip
        return action("", option="google_analytics", google_analytics=settings,
                      omit_empty=omit_empty, action_id="ga")  # fmt: skip

    return build


@pytest.fixture(scope="session")
def event_request(event_action, dispatch):
    """`event_request({"mins": "talk_minutes"}, talk_seconds=61)`: what would be sent at NOW."""

    def build(parameters=None, now=NOW, omit_empty=False, **call):
        one = event_action(parameters, omit_empty=omit_empty)
        fields = {"started_at": NOW, "sourcetrak": VISITOR} | call
        return compile_event(one, BASE).request(dispatch(fields, one), now)

    return build


@pytest.fixture(scope="session")
def body(event_request):
    return lambda *args, **fields: json.loads(event_request(*args, **fields).body)


@pytest.fixture(scope="session")
def params(body):
    return lambda *args, **fields: body(*args, **fields)["events"][0]["params"]


@pytest.fixture(scope="session")
def unsendable(event_request):
    def build(**fields):
        with pytest.raises(Unsendable) as caught:
            event_request(**fields)
        return caught.value.error

    return build


def test_an_event_is_one_request_of_the_measurement_protocol(event_request):
    request = event_request({"kind": "call_type", "mins": "talk_minutes"}, talk_seconds=61)
    assert (request.method, request.url) == (
        "POST",
        f"{BASE}/mp/collect?measurement_id=G-ABC123&api_secret=very-secret",
    )
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {
        "client_id": "123456.7654321",
        "timestamp_micros": NOW,
        "events": [{"name": "phone_call", "params": {"kind": "Inbound", "mins": 1.1}}],
    }


def test_an_event_carries_the_id_of_its_dispatch_too(event_request):
    assert len(event_request().headers["webhook-id"]) == 36


@pytest.mark.parametrize(
    ("captured", "sent"),
    [
        ("GA1.2.123456.7654321", "123456.7654321"),
        ("GA1.1-3.123456.7654321", "123456.7654321"),
        ("123456.7654321", "123456.7654321"),
        (" GA1.2.1.2 ", "1.2"),
        ("GA1.2.GA1.2.3", "GA1.2.3"),
        ("xGA1.2.3", "xGA1.2.3"),
        ("7d4c-é", "7d4c-é"),
    ],
)
def test_the_client_id_is_the_visitors_without_its_cookies_version(body, captured, sent):
    assert body(sourcetrak={"google_ua_client_id": captured})["client_id"] == sent


@pytest.mark.parametrize(
    "sourcetrak", [None, {}, {"google_ua_client_id": " "}, {"google_ua_client_id": "GA1.2."}]
)
def test_a_client_id_is_never_invented(unsendable, sourcetrak):
    assert unsendable(sourcetrak=sourcetrak) == "no_client_id"


def test_a_call_is_too_old_after_72_hours(event_request, unsendable):
    assert event_request(now=NOW + MAX_AGE)
    assert unsendable(now=NOW + MAX_AGE + 1) == "too_old"


def test_an_old_call_without_client_id_has_no_client_id(unsendable):
    assert unsendable(now=NOW + 2 * MAX_AGE, sourcetrak=None) == "no_client_id"


def test_numbers_are_sent_as_numbers_and_texts_as_texts(params):
    sent = params(
        {"mins": "talk_minutes", "whole": "call_duration", "rec": "recording_duration",
         "sid": "sid", "all": "all_actions"},
        talk_seconds=60, recording_seconds=0, sid="007", all_actions=["a", "b"],
    )  # fmt: skip
    assert sent == {"mins": 1.0, "whole": 1, "rec": 0, "sid": "007", "all": "a|b"}


def test_a_hashed_number_is_a_text(params):
    assert len(params({"a": "call_duration:sha256"}, talk_seconds=60)["a"]) == 64


def test_d25_what_the_call_does_not_have_is_empty_or_left_out(params):
    chosen = {"a": "click_id", "b": "talk_minutes"}
    assert params(chosen) == {"a": "", "b": ""}
    assert params(chosen, omit_empty=True, talk_seconds=0) == {"b": 0.0}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a" * 100, "a" * 100),
        ("a" * 101, "a" * 99 + "…"),
        ("😀" * 101, "😀" * 99 + "…"),
        ("مرحبا", "مرحبا"),
        ('"\\\n\0', '"\\\n\0'),
    ],
)
def test_values_are_cut_visibly_at_100_characters(params, text, sent):
    assert params({"a": "first_action"}, first_action=text)["a"] == sent


def test_d24_an_unpaired_surrogate_is_sent_as_u_fffd(event_action, dispatch):
    one = event_action({"a": "first_action"})
    record = dispatch({"started_at": NOW, "sourcetrak": VISITOR}, one)
    record["call"]["first_action"] = "\ud800"
    raw = compile_event(one, BASE).request(record, NOW).body
    assert json.loads(raw)["events"][0]["params"]["a"] == "\ufffd"


def test_a_body_of_130_kb_is_not_sent(unsendable):
    assert unsendable(sourcetrak={"google_ua_client_id": "1" * 130_000}) == "unrenderable"


def test_secrets_are_quoted_in_the_query(event_action, dispatch):
    one = event_action(api_secret="a&b=c d%é")
    url = compile_event(one, f"{BASE}/").url
    assert parse_qs(urlsplit(url).query)["api_secret"] == ["a&b=c d%é"]
    assert url.startswith(f"{BASE}/mp/collect?")


def test_an_action_without_its_settings_cannot_be_sent(action):
    with pytest.raises(Unsendable):
        compile_event(action("", option="google_analytics"), BASE)


@pytest.mark.parametrize("field", ["placeholder", "transform"])
def test_what_a_later_version_wrote_is_unsupported(event_action, field):
    parameter = {"name": "a", "placeholder": "sid"} | {field: "of_a_later_version"}
    with pytest.raises(Unsendable) as caught:
        compile_event(event_action(parameters=[parameter]), BASE)
    assert caught.value.error == "unsupported"


TEXT = st.text(max_size=120)
SECONDS = st.none() | st.integers(0, 2**31)


@settings(deadline=None)
@given(
    call=st.fixed_dictionaries(
        {
            "first_action": TEXT,
            "sid": TEXT,
            "call_type": TEXT,
            "all_actions": st.lists(TEXT, max_size=3),
            "talk_seconds": SECONDS,
            "intelligent_seconds": SECONDS,
            "recording_seconds": SECONDS,
            "distributor": st.none() | st.fixed_dictionaries({"name": TEXT, "agent_id": TEXT}),
        }
    ),
    client_id=st.text(min_size=1, max_size=50).filter(
        lambda text: text.strip() and not text.strip().startswith("GA1.")
    ),
    chosen=st.lists(st.sampled_from(ALLOWED), max_size=25, unique=True),
    omit_empty=st.booleans(),
)
def test_whatever_the_call_holds_its_event_is_within_the_limits(
    event_request, call, client_id, chosen, omit_empty
):
    request = event_request(
        {id_: id_ for id_ in chosen}, omit_empty=omit_empty,
        **call | {"sourcetrak": {"google_ua_client_id": client_id}},
    )  # fmt: skip
    query = {name: value[0] for name, value in parse_qs(urlsplit(request.url).query).items()}
    assert faults(query, request.body, NOW) == []


# on its way


def counted(error):
    return metrics.ATTEMPTS.labels("skipped", error)._value.get()


@pytest.mark.parametrize(
    ("call", "error"),
    [({}, "no_client_id"), ({"sourcetrak": VISITOR, "started_at": -MAX_AGE - 1}, "too_old")],
)
async def test_what_is_skipped_has_an_attempt_completes_and_is_not_dead(
    sender, event_action, call, error
):
    one, before = sender(), counted(error)
    await one.take(one.flight(call, event_action()))
    (attempt,) = one.written(one.topics.attempts)
    told = (attempt["outcome"], attempt["error"], attempt["url"], attempt["next_at"])
    assert told == ("skipped", error, "", None)
    assert (one.transport.requests, len(one.producer.sent)) == ([], 1)
    assert one.consumer.completed == [0]
    assert counted(error) == before + 1


async def test_a_retry_that_comes_too_late_is_skipped(sender, event_action):
    one = sender()
    one.clock.now = MAX_AGE + 1
    await one.take(one.flight({"sourcetrak": VISITOR}, event_action(), attempt=3))
    (attempt,) = one.written(one.topics.attempts)
    assert (attempt["outcome"], attempt["attempt"]) == ("skipped", 3)


async def test_the_secret_is_in_no_attempt(sender, event_action):
    one = sender()
    await one.take(one.flight({"sourcetrak": VISITOR}, event_action()))
    assert "very-secret" in one.transport.requests[0].url
    (attempt,) = one.written(one.topics.attempts)
    assert attempt["url"].endswith("/mp/collect?measurement_id=G-ABC123&api_secret=***")
    assert "very-secret" not in str(attempt)


async def test_events_go_out_over_http_to_where_the_setting_says(
    codec, event_action, dispatch, wire, tracker
):
    google = await Measurement().start()
    transport = AiohttpTransport(Guard([ipaddress.ip_network("127.0.0.0/8")]), 5.0, 65536)
    try:
        reader = FlightReader(codec, google.url)
        now = time.time_ns() // 1000
        rich = {"started_at": now - 1_000_000, "sourcetrak": VISITOR, "first_action": "x" * 500,
                "talk_seconds": 61, "all_actions": ["é", "😀"]}  # fmt: skip
        one = event_action({id_: id_ for id_ in ALLOWED[:25]})
        flight = reader.read(tracker(), 0, wire(dispatch(rich, one)))
        assert (await transport.send(flight.request(now))).status == 204
    finally:
        await transport.close()
        await google.stop()
    assert (google.faults, len(google.events)) == ([], 1)
    assert google.queries == [{"measurement_id": "G-ABC123", "api_secret": "very-secret"}]
    assert google.events[0]["client_id"] == "123456.7654321"
    assert google.events[0]["events"][0]["params"]["talk_minutes"] == 1.1


def test_the_validation_server_has_a_path_of_its_own(event_action):
    assert compile_event(event_action(), BASE, VALIDATE).url.startswith(f"{BASE}/debug/mp/collect?")


def test_the_receiver_of_these_tests_does_find_faults():
    bad = {"client_id": "GA1.2.3", "timestamp_micros": 0, "x": 1,
           "events": [{"name": "_a", "params": {"ga_x": True, "b": "c" * 101}}]}  # fmt: skip
    codes = [fault["validationCode"] for fault in faults({}, json.dumps(bad).encode(), NOW)]
    assert len(codes) == 9

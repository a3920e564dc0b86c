import pytest

from bench.backlog import PAYLOADS, Calls, Dispatches, Target
from bench.certificates import issue
from bench.render import call
from dispatcher.flight import FlightReader
from schemas.codec import decode_body
from schemas.released import current
from streaming.offsets import OffsetTracker

TARGET = Target(3, 8000)


def read(target, number, codec):
    key, body = Dispatches(target).body(number, 1)
    value = codec.header("Dispatch", "pca.dispatch") + body
    return key, FlightReader(codec, "https://example.com").read(
        OffsetTracker("pca.dispatch", 0), 0, value
    )


def test_a_call_is_its_variant_with_account_and_sid_of_its_own():
    found = decode_body(Calls().body("account-7", 301), 0, current("CallCompleted"))
    wanted = decode_body(
        current("CallCompleted").encode(call(1) | {"account_id": "account-7", "sid": "301"}),
        0,
        current("CallCompleted"),
    )
    assert found == wanted


def test_a_dispatch_goes_to_its_endpoint_and_bears_its_number(codec):
    key, flight = read(TARGET, 301, codec)
    assert key == flight.key == "account-1/crm"
    url = flight.request(0).url
    assert url.startswith("http://127.9.0.2:8000/handler.php?client_id=1234&n=301&")
    assert url.count("&") == 12


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_payload_can_be_sent(payload, codec):
    _, flight = read(Target(1, 8000, payload=payload), 5, codec)
    request = flight.request(0)
    assert (request.method, bool(request.body)) == (
        ("POST", True) if payload == "POST JSON" else ("GET", False)
    )
    assert (request.url.count("&") > 60) == (payload == "all placeholders")


def test_over_tls_the_authority_comes_along(codec, tmp_path):
    authority = issue(tmp_path, ["127.9.0.1"]).authority
    _, flight = read(Target(1, 8000, authority), 0, codec)
    request = flight.request(0)
    assert request.url.startswith("https://127.9.0.1:8000/")
    assert request.tls.ca == authority


def test_no_two_dispatches_have_one_id():
    dispatches = Dispatches(TARGET)
    assert len({dispatches.body(number, 1)[1] for number in range(1000)}) == 1000

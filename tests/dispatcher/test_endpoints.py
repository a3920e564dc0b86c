"""The breakers of the endpoints that failed of late: made, told of, taken over and forgotten."""

import pytest

from dispatcher.breaker import Rules
from dispatcher.endpoints import Endpoints
from schemas.codec import decode_body
from schemas.released import current

SECOND = 1_000_000
DAY = 86_400 * SECOND
CRM = "acme/crm"


@pytest.fixture
def endpoints():
    return Endpoints(Rules())


def fails(endpoints, key=CRM, times=1, now=0, version=1, *, passing=True, **how):
    """So many tries that start and fail; the last one's change."""
    for _ in range(times):
        generation = endpoints.starts(key)
        change = endpoints.failed(
            key, version, generation, now, "connect", "refused", passing=passing, **how
        )
    return change


def record(endpoints, key=CRM, now=0):
    account, _, action = key.partition("/")
    schema = current("Endpoint")
    return decode_body(schema.encode(endpoints.get(key).record(account, action, now)), 0, schema)


def told(endpoints):
    """What is to be published, by key."""
    return {key: (change, breaker.state) for key, (change, breaker) in endpoints.changed.items()}


def test_an_endpoint_that_never_failed_has_no_breaker(endpoints):
    assert endpoints.may_start(CRM, 0)
    assert endpoints.starts(CRM) == 0
    assert endpoints.succeeded(CRM, 0, 0) is None
    endpoints.undecided(CRM, 0)
    assert (len(endpoints), endpoints.changed) == (0, {})


def test_five_failures_close_it_to_tries_and_are_told(endpoints):
    assert fails(endpoints, times=5) == "opened"
    assert not endpoints.may_start(CRM, 0)
    assert told(endpoints) == {CRM: ("opened", "open")}


def test_one_failure_is_not_told(endpoints):
    fails(endpoints)
    assert endpoints.changed == {}


def test_an_endpoint_that_fails_leaves_the_others_alone(endpoints):
    fails(endpoints, times=5)
    assert endpoints.may_start("acme/other", 0)


def test_a_success_after_a_failure_or_two_forgets_it_when_the_window_has_passed(endpoints):
    fails(endpoints, times=2)
    endpoints.succeeded(CRM, 0, 0)
    assert len(endpoints) == 1
    endpoints.succeeded(CRM, 0, 61 * SECOND)
    assert len(endpoints) == 0


def test_an_answer_that_is_no_delivery_is_forgotten_at_the_next_success(endpoints):
    fails(endpoints, passing=False)
    endpoints.succeeded(CRM, 0, 0)
    assert len(endpoints) == 0


def test_what_closes_it_is_told_though_it_is_forgotten_at_once(endpoints):
    fails(endpoints, times=5)
    endpoints.changed.clear()
    endpoints.succeeded(CRM, endpoints.starts(CRM), 5 * SECOND)
    assert told(endpoints) == {CRM: ("closed", "closed")}


def test_gone_pauses_it_whatever_else_the_failure_means(endpoints):
    assert fails(endpoints, passing=False, gone=True) == "paused"
    assert told(endpoints) == {CRM: ("paused", "paused")}


def test_a_paused_one_is_resumed_by_a_newer_version_and_that_is_told(endpoints):
    fails(endpoints, version=3, passing=False, gone=True)
    assert endpoints.sees(CRM, 3, 0).state == "paused"
    assert endpoints.sees(CRM, 4, 0).state == "open"
    assert told(endpoints) == {CRM: ("resumed", "open")}


# Tries of an action that was saved meanwhile.


def test_a_failure_of_an_older_version_says_nothing_of_what_the_action_is_now(endpoints):
    fails(endpoints, version=2)
    fails(endpoints, times=50, version=1)
    assert endpoints.may_start(CRM, 0)


def test_nor_does_its_410_pause_it(endpoints):
    fails(endpoints, version=2)
    assert fails(endpoints, version=1, passing=False, gone=True) is None
    assert endpoints.may_start(CRM, 0)


def test_a_410_of_an_older_version_does_not_pause_one_that_is_open(endpoints):
    fails(endpoints, times=5, version=2)
    fails(endpoints, version=1, passing=False, gone=True, now=5 * SECOND)
    assert endpoints.get(CRM).state != "paused"


def test_a_probe_of_an_older_version_that_fails_opens_it_for_longer(endpoints):
    """It is the endpoint's, most likely, and something has to end the probe."""
    fails(endpoints, times=5, version=2)
    assert fails(endpoints, version=1, now=5 * SECOND) == "probed"
    assert not endpoints.may_start(CRM, 14 * SECOND)
    assert endpoints.may_start(CRM, 15 * SECOND)


# From one owner to the next.


def test_a_state_is_taken_over(endpoints):
    fails(endpoints, times=5)
    other = Endpoints(Rules())
    other.restore(CRM, record(endpoints), SECOND)
    assert not other.may_start(CRM, SECOND)
    assert other.may_start(CRM, 5 * SECOND)


@pytest.mark.parametrize("later", ["a tombstone", "a healthy state"])
def test_a_later_record_counts_over_an_earlier_one(endpoints, later):
    fails(endpoints, times=5)
    other = Endpoints(Rules())
    other.restore(CRM, record(endpoints), 0)
    endpoints.succeeded(CRM, endpoints.starts(CRM), 5 * SECOND)
    other.restore(CRM, None if later == "a tombstone" else record(endpoints), 0)
    assert (len(other), other.may_start(CRM, 0)) == (0, True)


def test_taking_over_tells_nothing(endpoints):
    fails(endpoints, times=5)
    other = Endpoints(Rules())
    other.restore(CRM, record(endpoints), 0)
    assert other.changed == {}


def test_what_is_dropped_is_forgotten_and_told_no_more(endpoints):
    fails(endpoints, "a/x", 5)
    fails(endpoints, "b/x", 5)
    endpoints.drop(lambda key: key.startswith("a/"))
    assert told(endpoints) == {"b/x": ("opened", "open")}
    assert endpoints.may_start("a/x", 0)
    assert not endpoints.may_start("b/x", 0)


def test_neither_is_what_was_to_be_told_of_one_that_is_well_again(endpoints):
    fails(endpoints, passing=False)
    for _ in range(2):
        fails(endpoints, passing=False, now=DAY)  # a warning; its success is told too
    endpoints.succeeded(CRM, 0, DAY)
    assert (len(endpoints), told(endpoints)) == (0, {CRM: ("closed", "closed")})
    endpoints.drop(lambda _: True)
    assert endpoints.changed == {}


def test_it_counts_who_is_in_which_state(endpoints):
    fails(endpoints, "a/x")
    fails(endpoints, "b/x", 5)
    fails(endpoints, "c/x", 5)
    fails(endpoints, "d/x", gone=True)
    assert endpoints.states() == {"closed": 1, "open": 2, "paused": 1}

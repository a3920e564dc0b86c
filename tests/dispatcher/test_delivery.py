"""From a flight to its request, and on to whatever comes of it."""

import gc

import pytest
from confluent_kafka import KafkaException

from dispatcher.transport import Answer, TransportError
from schemas.configuration import action_key

FAILED = Answer(500, {}, b"oops")


async def test_a_success_is_one_request_and_one_attempt(sender):
    one = sender()
    await one.take(one.flight({"sid": "s-7"}))
    (attempt,) = one.written(one.topics.attempts)
    told = (attempt["sid"], attempt["outcome"], attempt["status"], attempt["error"])
    assert told == ("s-7", "delivered", 200, "")
    assert (len(one.transport.requests), len(one.producer.sent)) == (1, 1)


async def test_an_attempt_is_keyed_by_account(sender):
    one = sender()
    await one.take(one.flight({"account_id": "acme"}))
    assert [record.key for record in one.producer.sent] == ["acme"]


async def test_an_offset_is_complete_only_when_the_broker_has_the_attempt(sender):
    one = sender()
    one.producer.at_once = False
    await one.take(one.flight())
    assert one.consumer.completed == []
    one.producer.acknowledge()
    assert one.consumer.completed == [0]


async def test_an_offset_is_complete_only_when_the_broker_has_the_retry_and_the_attempt(sender):
    one = sender()
    one.producer.at_once, one.transport.answer = False, FAILED
    await one.take(one.flight())
    one.producer.acknowledge(1)
    assert one.consumer.completed == []
    one.producer.acknowledge(1)
    assert one.consumer.completed == [0]


async def test_a_failure_is_written_to_the_topic_of_its_delay(sender):
    one = sender()
    one.transport.answer = FAILED
    await one.take(one.flight(attempt=2))
    assert [record.topic for record in one.producer.sent] == [
        one.topics.retry("1m"),
        one.topics.attempts,
    ]


async def test_a_retry_is_keyed_by_its_action_and_counts_on(sender):
    one = sender()
    one.transport.answer = FAILED
    await one.take(one.flight())
    (retry,) = one.written(one.topics.retry("5s"))
    told = (one.producer.sent[0].key, retry["attempt"], retry["due_at"])
    assert told == (action_key("acme", "crm"), 2, 5_000_000)


async def test_a_retry_is_the_same_dispatch(sender):
    one = sender()
    one.transport.answer = FAILED
    flight = one.flight({"talk_seconds": 61})
    await one.take(flight)
    (retry,) = one.written(one.topics.retry("5s"))
    assert retry["dispatch_id"] == flight.dispatch["dispatch_id"]
    assert retry["call"]["talk_seconds"] == 61


async def test_a_retry_says_what_went_wrong(sender):
    one = sender()
    one.transport.answer = TransportError("dns", "no such host")
    await one.take(one.flight())
    failure = one.written(one.topics.retry("5s"))[0]["failure"]
    assert failure == {"error": "dns", "detail": "no such host", "status": None} | {
        "failed_at": failure["failed_at"]
    }


async def test_the_attempt_tells_when_the_next_is_due(sender):
    one = sender()
    one.transport.answer = FAILED
    await one.take(one.flight())
    (attempt,) = one.written(one.topics.attempts)
    told = (attempt["outcome"], attempt["next_at"], attempt["error"], attempt["response_body"])
    assert told == ("retry", 5_000_000, "status", b"oops")


async def test_after_the_last_delay_a_dispatch_is_dead_with_its_failure(sender):
    one = sender()
    one.transport.answer = FAILED
    await one.take(one.flight(attempt=3))
    (dead,) = one.written(one.topics.dead)
    told = (dead["attempt"], dead["due_at"], dead["failure"]["status"])
    assert told == (3, None, 500)


async def test_d33_what_cannot_be_sent_is_dead_without_a_request(sender, action):
    one = sender()
    await one.take(one.flight({"sid": "x" * 9000}, action(parameters={"sid": "sid"})))
    (dead,) = one.written(one.topics.dead)
    assert (dead["failure"]["error"], one.transport.requests) == ("url_too_long", [])


async def test_an_action_that_cannot_be_sent_is_dead_and_has_an_attempt(sender, action):
    one = sender()
    await one.take(one.flight(action=action(method="PATCH")))
    (attempt,) = one.written(one.topics.attempts)
    assert (attempt["outcome"], attempt["error"], attempt["url"]) == ("dead", "unsupported", "")


async def test_what_ends_together_is_acknowledged_together(sender):
    one = sender()
    await one.take(*(one.flight({"sid": str(n)}) for n in range(5)))
    assert sorted(one.consumer.completed) == [0, 1, 2, 3, 4]


@pytest.fixture
def left_to_the_collector():
    """`left_to_the_collector()`: objects of ours that only the garbage collector could free."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)

    def look():
        gc.collect()
        return [one for one in gc.garbage if type(one).__module__.startswith("dispatcher")]

    yield look
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize("answer", [Answer(200, {}, b""), FAILED, TransportError("dns", "none")])
async def test_what_ended_is_free_without_the_garbage_collector(
    sender, left_to_the_collector, answer
):
    one = sender()
    one.transport.answer = answer
    for number in range(5):
        await one.take(one.flight({"sid": str(number)}))
    assert left_to_the_collector() == []


async def test_a_retry_waits_until_it_is_due(sender):
    one = sender()
    await one.take(one.flight(due_at=5_000_000))
    await one.jump(4.999)
    assert one.transport.requests == []
    await one.jump(0.001)
    assert len(one.transport.requests) == 1


async def test_a_retry_whose_time_has_passed_is_sent_at_once(sender):
    one = sender()
    await one.jump(10)
    await one.take(one.flight(due_at=5_000_000))
    assert len(one.transport.requests) == 1


async def test_an_earlier_retry_that_comes_later_does_not_wait_for_the_first(sender):
    one = sender()
    await one.take(one.flight({"sid": "late"}, due_at=60_000_000))
    await one.take(one.flight({"sid": "early"}, due_at=5_000_000))
    await one.jump(5)
    assert [attempt["sid"] for attempt in one.written(one.topics.attempts)] == ["early"]


async def test_after_the_first_retry_the_next_still_gets_its_time(sender):
    one = sender()
    await one.take(one.flight(due_at=5_000_000), one.flight(due_at=9_000_000))
    await one.jump(5)
    await one.jump(4)
    assert len(one.transport.requests) == 2


async def test_a_timer_that_goes_off_early_does_not_send_early_and_does_not_forget(sender):
    one = sender()
    await one.take(one.flight(due_at=5_000_000))
    one.delivery._wake()
    await one.settle()
    assert one.transport.requests == []
    await one.jump(5)
    assert len(one.transport.requests) == 1


async def test_a_revoked_flight_is_given_back_and_not_sent(sender):
    one = sender()
    one.tracker.revoked = True
    await one.take(one.flight())
    assert one.transport.requests == []
    assert one.consumer.abandoned == [(one.tracker, 1)]


async def test_what_waits_is_given_back_when_its_partition_is_taken_away(sender):
    one = sender(in_flight_per_action=1)
    one.transport.holding = True
    await one.take(one.flight(), one.flight(), one.flight(due_at=5_000_000))
    one.tracker.revoked = True
    one.delivery.hand_back()
    await one.settle()
    assert (len(one.consumer.abandoned), len(one.transport.requests)) == (2, 1)


async def test_what_is_in_flight_ends_though_its_partition_is_taken_away(sender):
    one = sender()
    one.transport.holding = True
    await one.take(one.flight())
    one.tracker.revoked = True
    one.delivery.hand_back()
    await one.settle()
    one.transport.release()
    await one.settle()
    assert (one.consumer.completed, one.consumer.abandoned) == ([0], [])


async def test_a_failure_for_a_partition_that_is_gone_is_told_but_not_tried_again_here(sender):
    # Its next owner reads the dispatch as it was: a retry of ours would fork at every rebalance.
    one = sender()
    one.transport.holding = True
    one.transport.answer = FAILED
    await one.take(one.flight())
    one.tracker.revoked = one.tracker.gone = True
    one.transport.release()
    await one.settle()
    assert [record.topic for record in one.producer.sent] == [one.topics.attempts]


async def test_an_attempt_has_room_on_its_topic_however_much_was_sent(sender, action):
    sizes = {f"p{n}": "first_action" for n in range(2)}
    one = sender()
    await one.take(
        one.flight({"first_action": "\u4e00" * 150_000}, action(method="POST", parameters=sizes))
    )
    (attempt,) = one.written(one.topics.attempts)
    assert len(one.transport.requests[0].body) > 2_000_000
    assert len(attempt["request_body"]) < 70_000
    assert attempt["request_body"].endswith("bytes)")


async def test_a_body_that_no_server_takes_is_dead_and_not_sent(sender, action):
    many = {f"p{n}": "first_action" for n in range(4)}
    one = sender()
    await one.take(
        one.flight({"first_action": "\u4e00" * 150_000}, action(method="POST", parameters=many))
    )
    (dead,) = one.written(one.topics.dead)
    assert (dead["failure"]["error"], one.transport.requests) == ("too_large", [])


async def test_large_dispatches_fill_the_room_before_their_number_does(sender):
    one = sender(in_flight=1000, in_flight_per_action=1)
    one.transport.holding = True
    large = {"first_action": "x" * 400_000}
    await one.take(*[one.flight(large) for _ in range(340)])
    assert not one.delivery.has_room()
    one.tracker.revoked = True
    one.delivery.hand_back()
    await one.settle()
    assert one.delivery.has_room()


async def test_other_partitions_are_not_given_back(sender, tracker):
    one = sender(in_flight_per_action=1)
    one.transport.holding = True
    kept = tracker(partition=1)
    await one.take(one.flight(), one.flight(), one.flight(tracker=kept))
    one.tracker.revoked = True
    one.delivery.hand_back()
    await one.settle()
    one.transport.release()
    await one.settle()
    assert len(one.transport.requests) == 2
    assert {tracker.partition for tracker, _ in one.consumer.abandoned} == {0}


async def test_a_refused_output_fails_the_loop_and_completes_nothing(sender):
    one = sender()
    one.producer.at_once = False
    await one.take(one.flight())
    one.producer.refuse()
    assert one.consumer.completed == []
    assert [type(failure) for failure in one.consumer.failures] == [KafkaException]


async def test_an_output_that_can_never_be_sent_fails_the_loop(sender):
    one = sender()

    def too_large(*_, **__):
        raise KafkaException("Message size too large")

    one.producer.send = too_large
    await one.take(one.flight())
    assert [type(failure) for failure in one.consumer.failures] == [KafkaException]


async def test_a_fault_in_the_transport_stops_the_loop_rather_than_losing_the_dispatch(sender):
    one = sender()
    one.transport.answer = RuntimeError("a bug")
    await one.take(one.flight())
    assert [str(failure) for failure in one.consumer.failures] == ["a bug"]
    assert one.consumer.completed == []


@pytest.mark.parametrize(("caps", "most"), [((4, 10), 2), ((40, 2), 2)])
async def test_caps_hold_however_much_waits(sender, caps, most):
    one = sender(in_flight=caps[0], in_flight_per_action=caps[1])
    one.transport.holding = True
    await one.take(*(one.flight() for _ in range(20)))
    while one.transport.held:
        one.transport.release(1)
        await one.settle()
    assert (one.transport.most, len(one.consumer.completed)) == (most, 20)


async def test_a_dispatch_that_hangs_holds_up_no_other_action(sender, action):
    one = sender(in_flight_per_action=1)
    one.transport.holding = True
    await one.take(one.flight())
    one.transport.holding = False
    await one.take(one.flight(), one.flight(action=action("http://o/", action_id="other")))
    assert [attempt["action_id"] for attempt in one.written(one.topics.attempts)] == ["other"]


async def test_actions_of_one_name_in_two_accounts_do_not_wait_for_each_other(sender):
    one = sender(in_flight_per_action=1)
    one.transport.holding = True
    await one.take(*(one.flight({"account_id": account}) for account in ("acme", "zenith")))
    assert len(one.transport.requests) == 2


async def test_there_is_no_room_when_twice_as_much_is_in_hand_as_may_be_in_flight(sender):
    one = sender(in_flight=4)  # of which first tries may have three
    one.transport.holding = True
    await one.take(*(one.flight() for _ in range(5)))
    assert one.delivery.has_room()
    await one.take(one.flight())
    assert not one.delivery.has_room()


async def test_what_is_on_its_way_to_the_event_loop_counts(sender):
    one = sender(in_flight=1)
    one.delivery.hand_over([one.flight(), one.flight()])
    assert not one.delivery.has_room()
    await one.settle()
    assert one.delivery.has_room()


async def test_retries_kept_until_they_are_due_take_no_room_but_close_their_partition(
    sender, monkeypatch
):
    monkeypatch.setattr("dispatcher.traffic.HELD_PER_PARTITION", 3)
    one = sender(in_flight=1)
    await one.take(*(one.flight(due_at=5_000_000) for _ in range(3)))
    assert one.delivery.has_room()
    assert one.delivery.full() == {(one.tracker.topic, 0)}


async def test_closing_ends_what_hangs_and_completes_nothing(sender):
    one = sender()
    one.transport.holding = True
    await one.take(one.flight())
    await one.delivery.close()
    await one.settle()
    assert (one.consumer.completed, one.producer.sent, one.transport.closed) == ([], [], True)


async def test_while_its_partitions_are_in_doubt_nothing_starts(sender):
    one = sender()
    one.consumer.doubtful = True
    await one.take(one.flight())
    assert one.transport.requests == []
    one.consumer.doubtful = False
    await one.jump(0.1)
    assert len(one.transport.requests) == 1


async def test_what_ended_while_its_partitions_were_in_doubt_is_written_when_they_are_ours(sender):
    one = sender()
    one.transport.holding = True
    await one.take(one.flight())
    one.consumer.doubtful = True
    one.transport.release()
    await one.settle()
    assert (one.producer.sent, one.consumer.completed) == ([], [])
    one.consumer.doubtful = False
    await one.jump(0.1)
    assert one.consumer.completed == [0]


async def test_a_failure_while_in_doubt_is_tried_again_by_the_next_owner_alone(sender):
    one = sender()
    one.transport.holding, one.transport.answer = True, FAILED
    await one.take(one.flight())
    one.consumer.doubtful = True
    one.transport.release()
    await one.settle()
    one.tracker.gone = one.tracker.revoked = True
    one.consumer.doubtful = False
    await one.jump(0.1)
    assert [record.topic for record in one.producer.sent] == [one.topics.attempts]

"""Who gets a place when more names are to be looked up than may be."""

import hypothesis
from hypothesis import strategies as st

from dispatcher.look_ups import PROMPT_SECONDS, LookUps, Question

PROMPT, SLOW = 0.01, PROMPT_SECONDS + 4


def named(*hosts):
    return [Question(host, 0) for host in hosts]


def dead(count, first=0):
    return named(*(f"dead-{n}" for n in range(first, first + count)))


def asked(look_ups, questions):
    """Those that started at once."""
    return [started for question in questions for started in look_ups.ask(question)]


def seen(look_ups, questions, seconds):
    """Look names up that nobody else waits for, each for so long."""
    for question in questions:
        assert look_ups.ask(question) == [question]
        assert look_ups.ended(question, seconds) == []


def test_a_question_starts_at_once_while_there_is_room():
    look_ups = LookUps(8)
    (question,) = named("a")
    assert look_ups.ask(question) == [question]
    assert (look_ups.running, look_ups.waiting) == (1, 0)


def test_a_storm_of_new_names_leaves_places_to_names_that_answered_promptly():
    look_ups = LookUps(8)
    healthy = named("a", "b")
    seen(look_ups, healthy, PROMPT)
    assert asked(look_ups, dead(1000)) == dead(6)
    assert asked(look_ups, healthy) == healthy
    assert (look_ups.running, look_ups.waiting) == (8, 994)


def test_names_that_were_slow_have_a_quarter_of_the_places_and_new_ones_the_rest():
    look_ups = LookUps(8)
    seen(look_ups, dead(20), SLOW)
    assert asked(look_ups, dead(20)) == dead(2)
    assert asked(look_ups, named("a", "b", "c", "d", "e")) == named("a", "b", "c", "d")


def test_a_name_that_nobody_answers_for_counts_as_slow_from_then_on():
    look_ups = LookUps(8)
    asked(look_ups, dead(12))
    for question in dead(6):
        look_ups.ended(question, SLOW)
    asked(look_ups, dead(6))
    for question in dead(6, first=6):
        look_ups.ended(question, SLOW)
    assert (look_ups.running, look_ups.waiting) == (2, 4)


def test_a_slow_name_that_answers_promptly_is_forgiven():
    look_ups = LookUps(8)
    once_slow = named("a", "b", "c")
    seen(look_ups, once_slow, SLOW)
    seen(look_ups, once_slow, PROMPT)
    assert asked(look_ups, once_slow) == once_slow


def test_a_question_that_is_withdrawn_never_starts():
    look_ups = LookUps(4)
    first, second, third, queued, behind = named("a", "b", "c", "queued", "behind")
    asked(look_ups, [first, second, third, queued, behind])
    assert look_ups.withdraw(queued)
    assert look_ups.ended(first, PROMPT) == [behind]


def test_a_look_up_under_way_keeps_its_place_though_nobody_waits():
    look_ups = LookUps(4)
    (question,) = named("a")
    look_ups.ask(question)
    assert not look_ups.withdraw(question)
    assert look_ups.running == 1


def test_order_is_kept_among_equals():
    look_ups = LookUps(4)
    asked(look_ups, dead(10))
    assert [look_ups.ended(question, PROMPT) for question in dead(3)] == [
        dead(1, first=3), dead(1, first=4), dead(1, first=5),
    ]  # fmt: skip


def test_one_place_is_enough_for_everybody_in_the_end():
    look_ups = LookUps(1)
    started = asked(look_ups, dead(5))
    for question in started:
        started += look_ups.ended(question, SLOW)
    assert started == dead(5)
    again = asked(look_ups, dead(5))
    for question in again:
        again += look_ups.ended(question, SLOW)
    assert again == dead(5)


def test_the_memory_of_names_is_bounded_and_forgets_the_longest_unasked():
    look_ups = LookUps(8, remembered=2)
    seen(look_ups, named("a"), PROMPT)
    seen(look_ups, named("b"), PROMPT)
    seen(look_ups, named("c"), SLOW)
    asked(look_ups, dead(6))
    assert asked(look_ups, named("a")) == []
    assert asked(look_ups, named("b")) == named("b")


@hypothesis.given(st.data(), st.integers(1, 9))
def test_nothing_is_lost_and_no_share_is_exceeded(data, places):
    look_ups = LookUps(places)
    names = named(*"abcdefghij")
    running, queued = {}, []
    was_slow, was_prompt = set(), set()
    for _ in range(data.draw(st.integers(0, 60))):
        idle = [one for one in names if one not in running and one not in queued]
        moves = [("ask", idle), ("end", list(running)), ("withdraw", queued)]
        move, among = data.draw(st.sampled_from([move for move in moves if move[1]]))
        question = data.draw(st.sampled_from(among))
        started = []
        if move == "ask":
            queued.append(question)
            started = look_ups.ask(question)
        elif move == "withdraw":
            assert look_ups.withdraw(question)
            queued.remove(question)
        else:
            seconds = data.draw(st.sampled_from([PROMPT, SLOW]))
            del running[question]
            (was_slow if seconds == SLOW else was_prompt).add(question)
            (was_prompt if seconds == SLOW else was_slow).discard(question)
            started = look_ups.ended(question, seconds)
        for one in started:
            queued.remove(one)
            running[one] = one in was_slow
        assert (look_ups.running, look_ups.waiting) == (len(running), len(queued))
        assert len(running) <= places
        assert sum(running.values()) <= max(1, places // 4)
        if len(running) < places:
            assert not was_prompt.intersection(queued)
        assert running or not queued

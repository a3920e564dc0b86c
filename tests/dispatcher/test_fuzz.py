"""A short run of the fuzzer; `make chaos` has the long one. And the fuzzer itself can tell."""

import pytest
from fuzz import CAREFULLY, Fuzzer, Report, fuzz
from mutations import CORPUS, Case, case
from plain_reading import end_of_answer
from transports import LOOPS, Pulse, run

SEED = 7
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"


@pytest.mark.parametrize(("loop", "first", "count"), [("uvloop", 0, 2000), ("asyncio", 2000, 500)])
def test_mutated_answers_do_no_harm(loop, first, count):
    assert loop in LOOPS
    report = Report()
    run(loop, fuzz(SEED, first, count, report))
    print(f"seed {SEED}", *report.lines(), sep="\n")
    assert not report.broken
    assert sum(report.agreements.values()) == count
    assert report.agreements["both take the same"] > count / 20
    assert report.agreements["both refuse"] > count / 20


def test_a_case_is_the_same_for_ever():
    assert case(7, 4711) == case(7, 4711) != case(8, 4711)
    assert len({case(7, n).answer for n in range(500)}) > 400


def test_what_a_transport_confuses_with_the_next_answer_is_seen():
    report = Report()

    async def play():
        with Pulse() as pulse:
            fuzzer = Fuzzer(report, CAREFULLY, pulse, oracles=())
            await fuzzer.play(Case(1, (GOOD, FORGED), "goes on", "GET"), await fuzzer.origins())
            await fuzzer.close("at the end")

    run("uvloop", play())
    assert report.broken == ["case 1, reference: the next request was answered 200 b'forged'"]


@pytest.mark.parametrize("behind", [b"", b"\r\n", FORGED])
@pytest.mark.parametrize("answer", CORPUS[:5])
def test_the_end_of_an_answer_is_found(answer, behind):
    assert end_of_answer(answer + behind) == len(answer)


@pytest.mark.parametrize("answer", [GOOD[:-1], GOOD[:20], b"", b"SSH-2.0\r\n\r\n", CORPUS[3][:-1]])
def test_what_is_cut_off_has_no_end(answer):
    assert end_of_answer(answer) is None

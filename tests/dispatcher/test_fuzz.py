"""A short run of the fuzzer; `make chaos` has the long one. And the fuzzer itself can tell."""

import asyncio

import pytest
from fuzz import CAREFULLY, PART, SLACK, Fuzzer, Report, fuzz
from mutations import CORPUS, Case, case
from plain_reading import final_answer
from transports import MAKERS, Pulse, run

from dispatcher.transport import Answer, TransportError
from dispatcher.transport.native import NativeTransport

SEED = 7
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"


@pytest.mark.parametrize(("loop", "first", "count"), [("uvloop", 0, 2000), ("asyncio", 2000, 500)])
def test_mutated_answers_do_no_harm(loop, first, count):
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


class Spoilt:
    """Does everything right, but for what a subclass spoils."""

    def __init__(self, guard, deadline, most):
        self.right = NativeTransport(guard, deadline, most)

    async def send(self, request):
        return await self.right.send(request)

    async def close(self):
        await self.right.close()


class Confused(Spoilt):
    async def send(self, request):
        answer = await super().send(request)
        return Answer(answer.status, answer.headers, b"forged")


class Leaking(Spoilt):
    async def send(self, request):
        self.left = asyncio.create_task(asyncio.sleep(60))
        return await super().send(request)


class Hoarding(Spoilt):
    hoard = ()

    async def send(self, request):
        port = int(request.url.split(":")[2].strip("/"))
        self.hoard += (await asyncio.open_connection("127.0.0.1", port),)
        return await super().send(request)

    async def close(self):
        for _, writer in self.hoard:
            writer.transport.abort()
        await super().close()


class Late(Spoilt):
    async def send(self, request):
        await asyncio.sleep(CAREFULLY + 2 * SLACK)
        return await super().send(request)


class Greedy(Spoilt):
    def __init__(self, guard, deadline, most):
        super().__init__(guard, deadline, 100 * PART)


class Vague(Spoilt):
    async def send(self, request):
        raise TransportError("unknown", "somehow")


LONG = Case(1, (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4 * PART), "closes", "GET")


@pytest.mark.parametrize(
    ("transport", "seen"),
    [
        (Confused, "the next request was answered 200 b'forged'"),
        (Leaking, "tasks are left"),
        (Hoarding, "sockets for 2 origins"),
        (Late, "after the deadline"),
        (Greedy, "bytes were read"),
        (Vague, "an error of no class"),
    ],
)
def test_a_transport_that_does_harm_is_seen(monkeypatch, transport, seen):
    monkeypatch.setitem(MAKERS, "native", transport)
    report = Report()

    async def play():
        with Pulse() as pulse:
            fuzzer = Fuzzer(report, CAREFULLY, pulse)
            await fuzzer.play(LONG, await fuzzer.origins())
            await fuzzer.close("at the end")

    run("uvloop", play())
    assert any(seen in broken for broken in report.broken), report.broken


@pytest.mark.parametrize("behind", [b"", b"\r\n", FORGED])
@pytest.mark.parametrize("answer", CORPUS[:5])
def test_a_whole_answer_is_found(answer, behind):
    hint = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    assert final_answer(answer + behind) == (0, len(answer))
    assert final_answer(hint + answer + behind) == (len(hint), len(hint + answer))


def test_a_folded_length_is_a_length():
    folded = GOOD.replace(b"Length: ", b"Length:\r\n ")
    assert final_answer(folded + b"behind") == (0, len(folded))


@pytest.mark.parametrize("answer", [GOOD[:-1], GOOD[:20], b"", b"SSH-2.0\r\n\r\n", CORPUS[3][:-1]])
def test_what_is_cut_off_is_no_whole_answer(answer):
    assert final_answer(answer) is None


def test_what_only_the_end_of_the_connection_ends_is_known_to():
    assert final_answer(b"HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nabc") == (0, None)

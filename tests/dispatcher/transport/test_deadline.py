"""One deadline over everything that a server can be slow at."""

import asyncio
import socket

import pytest
from sending import elapsed, failed, get, post, served

DEADLINE = 0.3


async def timed_out(transport, request):
    """Whether it ended with `timeout`, at the deadline and not before; the error."""
    errors = []

    async def send():
        errors.append(await failed(transport, request))

    waited = await elapsed(send())
    assert errors[0].error == "timeout"
    assert DEADLINE * 0.97 < waited < DEADLINE + 1
    return errors[0]


async def test_looking_up_counts(transport, monkeypatch):
    async def hangs(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr("dispatcher.resolver.ThreadResolver.resolve", hangs)
    error = await timed_out(transport, get("http://dead.example/"))
    assert error.trace.address == ""


async def test_connecting_counts(transport):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address, fillers = full.getsockname(), []
        while True:  # until the kernel drops whoever knocks
            fillers.append(socket.socket())
            fillers[-1].settimeout(0.05)
            try:
                fillers[-1].connect(address)
            except TimeoutError:
                break
        error = await timed_out(transport, get(f"http://127.0.0.1:{address[1]}/"))
        for filler in fillers:
            filler.close()
    assert (error.trace.address, error.trace.connect_us) == (f"127.0.0.1:{address[1]}", None)


async def reads_for_ever(reader, _):
    await reader.read()


async def test_tls_counts(transport, serve):
    error = await timed_out(transport, get(f"https://127.0.0.1:{await serve(reads_for_ever)}/"))
    assert error.trace.connect_us is not None
    assert error.trace.tls_us is None


async def test_a_server_that_does_not_read_counts(transport, serve):
    async def deaf(_, writer):
        writer.transport.pause_reading()
        await asyncio.sleep(DEADLINE + 0.1)

    await timed_out(transport, post(f"http://127.0.0.1:{await serve(deaf)}/", b"x" * 30_000_000))


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\nabc", b"HTTP/1.1 100 Continue\r\n\r\n"],
    ids=["no answer", "half a head", "a body without end", "an interim answer"],
)
async def test_an_answer_that_stops_counts(transport, serve, start):
    async def stops(reader, writer):
        await served(reader, writer, start)
        await reader.read()

    await timed_out(transport, get(f"http://127.0.0.1:{await serve(stops)}/"))


async def test_the_second_try_has_no_more_time_than_was_left(transport, serve):
    """A kept connection that is closed late, and a new one that says nothing."""
    connections = []

    async def answer(reader, writer):
        connections.append(writer)
        if len(connections) == 1:
            await served(reader, writer)
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(DEADLINE / 2)
        else:
            await reader.read()

    url = f"http://127.0.0.1:{await serve(answer)}/"
    await transport.send(get(url))
    await timed_out(transport, get(url))
    assert len(connections) == 2

"""What a try is said to have taken, and where it went."""

import asyncio

from sending import OK, failed, get, served

SLOW_US = 45_000
"""Least wait for a server that sleeps for 50 ms: a loop's timers are early by up to a tick."""
TOLD = (
    "address", "reused", "resent", "dns_us", "connect_us", "tls_us", "first_byte_us",
)  # fmt: skip


def told(trace):
    """All that a trace says."""
    return {name: value for name in TOLD if (value := getattr(trace, name))}


async def test_the_first_request_says_whom_it_dialled_and_how_long_it_took(transport, server):
    one = await server(OK)
    trace = (await transport.send(get(one.url))).trace
    assert (trace.address, trace.reused) == (f"127.0.0.1:{one.port}", False)
    assert (trace.dns_us, trace.tls_us) == (None, None)
    assert 0 < trace.connect_us < trace.first_byte_us


async def test_a_request_over_a_kept_connection_has_nothing_to_connect(transport, server):
    one = await server(OK)
    await transport.send(get(one.url))
    trace = (await transport.send(get(one.url))).trace
    assert told(trace) == {"address": f"127.0.0.1:{one.port}", "reused": True,
                           "first_byte_us": trace.first_byte_us}  # fmt: skip
    assert trace.first_byte_us > 0


async def test_a_name_takes_time_to_look_up(transport, server, names):
    one, names["a.example"] = await server(OK), ["127.0.0.1"]
    trace = (await transport.send(get(one.url.replace("127.0.0.1", "a.example")))).trace
    assert trace.dns_us > 0
    assert trace.dns_us + trace.connect_us < trace.first_byte_us


def slow(start):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(start)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(OK)

    return answer


async def test_the_first_byte_is_waited_for(transport, serve):
    port = await serve(slow(b""))
    trace = (await transport.send(get(f"http://127.0.0.1:{port}/"))).trace
    assert SLOW_US <= trace.first_byte_us < 300_000


async def test_an_interim_answer_is_not_the_first_byte(transport, serve):
    port = await serve(slow(b"HTTP/1.1 103 Early\r\nX-A: b\r\n\r\n"))
    trace = (await transport.send(get(f"http://127.0.0.1:{port}/"))).trace
    assert trace.first_byte_us >= SLOW_US


async def test_a_connection_refused_says_who_refused_it(transport, server):
    one = await server(OK)
    await one.stop()
    trace = (await failed(transport, get(one.url))).trace
    assert told(trace) == {"address": f"127.0.0.1:{one.port}"}


async def test_a_request_given_up_says_how_far_it_came(transport, serve):
    async def silent(reader, writer):
        await served(reader, writer, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        await reader.read()

    port = await serve(silent)
    trace = (await failed(transport, get(f"http://127.0.0.1:{port}/"))).trace
    assert trace.address == f"127.0.0.1:{port}"
    assert trace.connect_us < trace.first_byte_us


async def test_a_request_that_is_not_sent_went_nowhere(guarded):
    assert told((await failed(guarded, get("http://127.0.0.1:1/"))).trace) == {}

"""Which connections are made, kept, used again and closed."""

import asyncio
import gc

import pytest
from sending import OK, failed, failure, get, post, served
from transports import until

OK_AND_CLOSE = OK.replace(b"X-A: b", b"Connection: close")


async def test_a_connection_is_used_again(transport, server):
    one = await server(OK)
    for _ in range(5):
        await transport.send(get(one.url))
    assert one.connections == 1


@pytest.mark.parametrize("implementation", ["native"])
async def test_where_no_more_can_be_open_the_one_idle_the_longest_makes_room(make, server):
    transport, servers = make(connections=3), [await server(OK) for _ in range(4)]
    for each in servers:
        await transport.send(get(each.url))
    async with asyncio.timeout(2):
        await servers[0].all_closed.wait()
    for each in servers[1:]:
        await transport.send(get(each.url))
    assert [each.connections for each in servers] == [1, 1, 1, 1]


@pytest.mark.parametrize("implementation", ["native"])
async def test_connections_in_use_are_never_closed_to_make_room(make, server):
    transport, one = make(connections=2, deadline=5), await server(OK)
    answers = await asyncio.gather(*(transport.send(get(one.url)) for _ in range(9)))
    assert [answer.body for answer in answers] == [b"ok"] * 9


async def test_no_connection_is_left_open_after_closing(transport, server):
    one = await server(OK)
    await asyncio.gather(*(transport.send(get(one.url)) for _ in range(5)))
    await transport.close()
    async with asyncio.timeout(2):
        await one.all_closed.wait()


async def test_closing_ends_what_is_under_way(make, server):
    transport, one = make(deadline=60), await server(lambda *_: asyncio.Event().wait())
    sending = asyncio.create_task(failure(transport, get(one.url)))
    await until(lambda: one.requests)
    await transport.close()
    assert await sending == "closed"


async def test_after_closing_nothing_is_sent(transport, server):
    one = await server(OK)
    await transport.close()
    assert (await failure(transport, get(one.url)), one.connections) == ("closed", 0)


async def test_closing_twice_does_no_harm(transport, server):
    await transport.send(get((await server(OK)).url))
    await transport.close()
    await transport.close()


async def test_a_request_given_up_leaves_no_connection_open(transport, server):
    one = await server(lambda reader, _: reader.read())
    await failure(transport, get(one.url))
    async with asyncio.timeout(2):
        await one.all_closed.wait()


async def test_cancelling_closes_the_connection(make, server):
    transport, one = make(deadline=60), await server(lambda reader, _: reader.read())
    sending = asyncio.create_task(transport.send(get(one.url)))
    await until(lambda: one.requests)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    async with asyncio.timeout(2):
        await one.all_closed.wait()


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8])
async def test_cancelling_at_any_moment_leaves_nothing(make, server, turns):
    transport, one = make(deadline=60), await server(OK)
    for _ in range(2):  # a new connection, then a kept one
        sending = asyncio.create_task(transport.send(get(one.url)))
        for _ in range(turns):
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert (await transport.send(get(one.url))).body == b"ok"
    await transport.close()
    gc.collect()  # what was never retrieved is complained of when it goes
    async with asyncio.timeout(2):
        await one.all_closed.wait()


async def test_200_requests_at_once_each_get_their_own_answer(make, serve):
    async def echo(reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            tag = head.split(b"webhook-id: ")[1].split(b"\r\n")[0]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(tag), tag))

    transport, url = make(deadline=30), f"http://127.0.0.1:{await serve(echo)}/"

    async def one(number):
        return (await transport.send(get(url, **{"webhook-id": f"{number}"}))).body

    for _ in range(2):
        bodies = await asyncio.gather(*(one(number) for number in range(200)))
        assert bodies == [b"%d" % number for number in range(200)]


@pytest.mark.parametrize(
    "answer",
    [
        OK_AND_CLOSE,
        OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
    ],
    ids=["Connection: close", "HTTP/1.0", "an answer too many"],
)
async def test_a_connection_that_is_none_to_keep_is_not_used_again(transport, server, answer):
    one = await server(answer)
    for _ in range(2):
        assert (await transport.send(get(one.url))).body == b"ok"
    assert one.connections == 2


async def test_a_long_body_that_was_cut_off_costs_its_connection(transport, server):
    one = await server(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5_000_000)
    for _ in range(2):
        await transport.send(get(one.url))
    assert one.connections == 2


async def test_a_body_of_4_mib_arrives_whole(make, server):
    transport, one = make(deadline=30), await server(OK)
    body = bytes(range(256)) * 16_384
    assert (await transport.send(post(one.url, body))).status == 200
    (request,) = one.requests
    assert request.endswith(b"\r\n\r\n" + body)


async def test_an_answer_that_comes_before_the_body_is_sent_counts(make, serve):
    async def hasty(reader, writer):
        await served(reader, writer, b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await reader.read()

    transport, port = make(deadline=30), await serve(hasty)
    for _ in range(2):
        answer = await transport.send(post(f"http://127.0.0.1:{port}/", b"x" * 4_000_000))
        assert (answer.status, answer.trace.reused) == (413, False)


async def test_a_get_after_the_server_closed_the_kept_connection_is_answered(transport, server):
    one = await server(OK)
    await transport.send(get(one.url))
    await one.hang_up()
    assert (await transport.send(get(one.url))).status == 200


async def test_a_post_after_the_server_closed_the_kept_connection_arrives_once(transport, server):
    one = await server(OK)
    await transport.send(get(one.url))
    await one.hang_up()
    assert (await transport.send(post(one.url, b"a=1"))).status == 200
    assert [request[:4] for request in one.requests] == [b"GET ", b"POST"]


class Forgetful:
    """Answers the first request of each connection; on the second it says `last` and hangs up."""

    def __init__(self, last=b"", first=OK):
        self.last, self.first, self.requests, self.connections = last, first, [], 0

    async def __call__(self, reader, writer):
        self.connections += 1
        self.requests.append(await served(reader, writer, self.first))
        if self.first:
            self.requests.append(await served(reader, writer, self.last))


@pytest.mark.parametrize("request_of", [get, lambda url: post(url, b"")], ids=["GET", "POST"])
async def test_a_kept_connection_closed_while_the_request_was_on_its_way_is_replaced_at_once(
    transport, serve, request_of
):
    server = Forgetful()
    url = f"http://127.0.0.1:{await serve(server)}/"
    await transport.send(get(url))
    answer = await transport.send(request_of(url))
    trace = answer.trace
    assert (answer.status, trace.reused, trace.resent, server.connections) == (200, False, True, 2)


@pytest.mark.parametrize("start", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_but_not_once_any_byte_of_an_answer_has_come(transport, serve, start):
    server = Forgetful(start)
    url = f"http://127.0.0.1:{await serve(server)}/"
    await transport.send(get(url))
    error = await failed(transport, post(url, b""))
    assert (error.error, error.trace.reused, server.connections) == ("closed", True, 1)


async def test_nor_on_a_connection_that_is_new(transport, serve):
    server = Forgetful(first=b"")
    assert await failure(transport, get(f"http://127.0.0.1:{await serve(server)}/")) == "closed"
    assert (server.connections, len(server.requests)) == (1, 1)


async def test_nor_a_second_time(transport, serve):
    server = Forgetful()
    url = f"http://127.0.0.1:{await serve(server)}/"
    await transport.send(get(url))
    server.first = b""
    error = await failed(transport, post(url, b""))
    assert (error.error, error.trace.reused, server.connections) == ("closed", False, 2)


async def test_the_second_try_is_over_a_connection_that_nobody_used(make, serve):
    """Two kept connections, of which both are closed when they are used again."""
    connections, two_are_open = [], asyncio.Event()

    async def answer(reader, writer):
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        if len(connections) == 2:
            two_are_open.set()
        await two_are_open.wait()
        writer.write(OK)
        if len(connections) == 2:
            await reader.readuntil(b"\r\n\r\n")

    transport, url = make(deadline=5), f"http://127.0.0.1:{await serve(answer)}/"
    await asyncio.gather(*(transport.send(get(url)) for _ in range(2)))
    trace = (await transport.send(get(url))).trace
    assert (trace.reused, len(connections)) == (False, 3)

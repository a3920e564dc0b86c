"""Names, their addresses, and which of them are dialled."""

import asyncio
import socket

from sending import OK, failed, failure, get, served

OK_AND_CLOSE = OK.replace(b"X-A: b", b"Connection: close")


def at(url, host):
    return url.replace("127.0.0.1", host)


async def test_a_name_is_looked_up_and_its_address_dialled(transport, server, names):
    one = await server(OK)
    names["a.example"] = ["127.0.0.1"]
    answer = await transport.send(get(at(one.url, "a.example")))
    assert answer.trace.address == f"127.0.0.1:{one.port}"
    assert f"Host: a.example:{one.port}\r\n".encode() in one.requests[0]


async def test_a_name_is_looked_up_once_in_a_while(transport, server, names):
    one, names["a.example"] = await server(OK_AND_CLOSE), ["127.0.0.1"]
    for _ in range(3):
        await transport.send(get(at(one.url, "a.example")))
    assert (names.asked, one.connections) == (["a.example"], 3)


async def test_requests_at_once_share_one_look_up(transport, server, names):
    one, names["a.example"] = await server(OK), ["127.0.0.1"]
    await asyncio.gather(*(transport.send(get(at(one.url, "a.example"))) for _ in range(5)))
    assert names.asked == ["a.example"]


async def test_a_name_that_means_something_else_the_second_time_is_judged_anew(
    transport, server, names, forget
):
    one, names["a.example"] = await server(OK_AND_CLOSE), ["127.0.0.1"]
    await transport.send(get(at(one.url, "a.example")))
    names["a.example"] = ["10.0.0.1"]
    forget(transport)
    assert await failure(transport, get(at(one.url, "a.example"))) == "blocked"
    assert one.connections == 1


async def test_a_name_that_means_a_private_address_is_blocked(guarded, server, names):
    one, names["a.example"] = await server(OK), ["127.0.0.1"]
    error = await failed(guarded, get(at(one.url, "a.example")))
    assert (error.error, one.connections) == ("blocked", 0)
    assert error.trace.dns_us is not None


async def test_a_name_that_nobody_knows_is_an_error_of_dns(transport, names):
    error = await failed(transport, get("http://nobody.example/"))
    assert (error.error, error.trace.address) == ("dns", "")
    assert error.trace.dns_us is not None


async def test_a_look_up_that_takes_too_long_is_an_error_of_dns(make, monkeypatch):
    done = asyncio.Event()

    async def hangs(*_):
        await done.wait()

    monkeypatch.setattr("dispatcher.resolver.ThreadResolver.resolve", hangs)
    transport = make(deadline=5, dns_timeout=0.05)
    assert await failure(transport, get("http://dead.example/")) == "dns"
    done.set()


async def test_where_the_first_address_refuses_the_next_is_dialled(transport, server, names):
    one, names["a.example"] = await server(OK), ["127.0.0.2", "127.0.0.1"]
    answer = await transport.send(get(at(one.url, "a.example")))
    assert answer.trace.address == f"127.0.0.1:{one.port}"


async def test_where_the_first_address_is_silent_the_next_is_dialled(make, server, names):
    one = await server(OK)
    names["a.example"] = ["127.0.0.2", "127.0.0.1"]
    fillers = []
    with socket.socket() as silent:
        silent.bind(("127.0.0.2", one.port))
        silent.listen(0)
        while True:  # until the kernel drops whoever knocks
            fillers.append(socket.socket())
            fillers[-1].settimeout(0.05)
            try:
                fillers[-1].connect(("127.0.0.2", one.port))
            except TimeoutError:
                break
        answer = await make(deadline=5).send(get(at(one.url, "a.example")))
        for filler in fillers:
            filler.close()
    assert answer.trace.address == f"127.0.0.1:{one.port}"


async def test_where_no_address_connects_it_is_an_error_of_connecting(transport, server, names):
    one, names["a.example"] = await server(OK), ["127.0.0.2", "127.0.0.3"]
    error = await failed(transport, get(at(one.url, "a.example")))
    assert (error.error, error.trace.connect_us) == ("connect", None)
    assert error.trace.address.startswith("127.0.0.")


async def test_an_address_of_ipv6_is_dialled_and_named_as_one(transport, serve):
    heads = []

    async def answer(reader, writer):
        heads.append(await served(reader, writer))

    port = await serve(answer, host="::1")
    trace = (await transport.send(get(f"http://[::1]:{port}/"))).trace
    assert (trace.address, trace.dns_us) == (f"[::1]:{port}", None)
    assert f"Host: [::1]:{port}\r\n".encode() in heads[0]

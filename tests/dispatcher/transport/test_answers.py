"""What every transport answers, and how it fails, against real servers here, good and bad."""

import asyncio
import contextlib
import gzip
import random
import socket

import pytest
from sending import OK, elapsed, failure, get, post

from dispatcher.transport import KEPT_BODY, TransportError

DEADLINE = 0.3


async def test_an_answer_is_status_headers_and_body(transport, server):
    one = await server(OK)
    answer = await transport.send(get(one.url))
    assert (answer.status, answer.headers["X-A"], answer.body) == (200, "b", b"ok")


@pytest.mark.parametrize("status", [204, 400, 404, 410, 500, 503])
async def test_any_status_is_an_answer(transport, server, status):
    one = await server(b"HTTP/1.1 %d Word\r\nContent-Length: 0\r\n\r\n" % status)
    assert (await transport.send(get(one.url))).status == status


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(transport, server, status):
    one = await server(
        b"HTTP/1.1 %d Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n" % status
    )
    answer = await transport.send(post(one.url, b"a=1"))
    assert (answer.status, len(one.requests)) == (status, 1)


async def test_a_post_stays_a_post(transport, server):
    one = await server(OK)
    await transport.send(post(one.url + "/p", b"a=1&b=2"))
    (request,) = one.requests
    assert request.startswith(b"POST /p HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\na=1&b=2")


async def test_an_empty_post_says_that_it_is_empty(transport, server):
    one = await server(OK)
    await transport.send(post(one.url, b""))
    assert b"Content-Length: 0\r\n" in one.requests[0]


ODD = '/a%2Fb/../c;p=1/?x=%7e%zz&j={"a"}|^`\\<>\'()*&e=%E2%82%AC&q=a+b%20c&a[]=1&=&&?'


async def test_d21_the_request_line_is_byte_for_byte_what_was_typed(transport, server):
    one = await server(OK)
    await transport.send(get(one.url + ODD))
    assert one.requests[0].split(b"\r\n")[0] == b"GET " + ODD.encode() + b" HTTP/1.1"


async def test_nothing_but_what_was_asked_for_is_in_the_headers(transport, server):
    one = await server(OK)
    await transport.send(get(one.url, **{"User-Agent": "PostCallAction/1", "Accept": "*/*"}))
    lines = one.requests[0].decode().split("\r\n")[1:-2]
    host = one.url.removeprefix("http://")
    assert sorted(lines) == sorted(
        [f"Host: {host}", "webhook-id: id-1", "User-Agent: PostCallAction/1", "Accept: */*"]
    )


@pytest.mark.parametrize("wrong", ["a\r\nX: y", "a\nb", "a\rb", "a\0b"])
async def test_a_header_with_a_line_break_or_nul_is_never_sent(transport, server, wrong):
    one = await server(OK)
    assert await failure(transport, get(one.url, **{"X-A": wrong})) == "protocol"
    assert one.requests == []


async def test_a_server_that_never_answers_is_given_up_at_the_deadline(transport, server):
    one = await server(lambda *_: asyncio.Event().wait())
    waited = await elapsed(failure(transport, get(one.url)))
    assert DEADLINE * 0.9 < waited < DEADLINE + 1


async def test_a_server_that_never_answers_timed_out(transport, server):
    one = await server(lambda *_: asyncio.Event().wait())
    assert await failure(transport, get(one.url)) == "timeout"


def dribbling(start, part):
    """Writes a little again and again, so that no pause is ever long."""

    async def answer(_, writer):
        writer.write(start)
        # uvloop says RuntimeError of a connection that is closed already.
        with contextlib.suppress(RuntimeError):
            while True:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.01)

    return answer


@pytest.mark.parametrize(
    ("start", "part"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["headers", "body", "chunks", "interim answers"],
)
async def test_a_server_that_dribbles_is_given_up_at_the_deadline(transport, server, start, part):
    one = await server(dribbling(start, part))
    assert await failure(transport, get(one.url)) == "timeout"


async def test_a_long_body_is_cut(transport, server):
    one = await server(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000)
    answer = await transport.send(get(one.url))
    assert answer.body == b"x" * KEPT_BODY


async def test_an_endless_body_is_not_read_to_the_end(transport, server):
    one = await server(dribbling(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 6000))
    answer = await transport.send(get(one.url))
    assert (answer.status, len(answer.body)) == (200, KEPT_BODY)


async def test_a_compressed_body_is_kept_as_it_came(transport, server):
    body = gzip.compress(b"x" * 1_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    one = await server(head + body)
    assert (await transport.send(get(one.url))).body == body[:KEPT_BODY]


NOT_HTTP = {
    "words": b"hello?\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "nothing": b"\r\n\r\n",
    "a status that is none": b"HTTP/1.1 abc OK\r\n\r\n",
    "a header without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "chunks that are none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    "invalid bytes": b"HTTP/1.1 \xff\xfe\xe9\r\n\xff: \xe9\r\n\r\n",
}


@pytest.mark.parametrize("answer", NOT_HTTP.values(), ids=NOT_HTTP)
async def test_what_is_no_http_is_an_error_of_the_protocol(transport, server, answer):
    one = await server(answer)
    assert await failure(transport, get(one.url)) in ("protocol", "closed", "timeout")


def hanging_up_after(start):
    async def answer(_, writer):
        writer.write(start)
        await writer.drain()

    return answer


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"],
    ids=["at once", "in the status", "in the body"],
)
async def test_a_server_that_hangs_up_is_no_answer(transport, server, start):
    one = await server(hanging_up_after(start))
    assert await failure(transport, get(one.url)) in ("closed", "protocol")


async def test_header_bytes_that_are_no_text_are_an_answer(transport, server):
    one = await server(b"HTTP/1.1 200 \xe9\r\nX-A: caf\xe9\r\nContent-Length: 0\r\n\r\n")
    assert (await transport.send(get(one.url))).status == 200


async def test_a_port_that_nobody_listens_on_refuses_the_connection(transport):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert await failure(transport, get(f"http://127.0.0.1:{port}/")) == "connect"


async def test_plain_http_behind_https_is_an_error_of_tls(transport, server):
    one = await server(OK)

    async def plain(_, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    one.answer = plain
    assert await failure(transport, get(one.url.replace("http:", "https:"))) in ("tls", "timeout")


@pytest.mark.parametrize("url", ["http://a<b>/", "http://h:99999/", "http:///p", "http://%00/"])
async def test_what_is_no_url_is_refused_in_our_words(transport, url):
    assert await failure(transport, get(url)) in ("protocol", "dns", "connect")


async def test_a_cookie_is_not_sent_to_anybody(transport, server):
    one = await server(OK.replace(b"X-A: b", b"Set-Cookie: a=b"))
    for _ in range(2):
        await transport.send(get(one.url))
    assert b"ookie" not in one.requests[1]


async def test_no_bytes_whatever_make_it_fail_in_another_way(transport, server):
    answers = random.Random(7)
    good = bytearray(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n"
        b"Set-Cookie: a=b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    )

    async def garbled(_, writer):
        answer = bytearray(good)
        for _ in range(answers.randint(1, 8)):
            answer[answers.randrange(len(answer))] = answers.randrange(256)
        writer.write(answer)
        await writer.drain()

    one = await server(garbled)

    async def attempt():
        with contextlib.suppress(TransportError):
            await transport.send(get(one.url))

    for _ in range(20):
        await asyncio.gather(*(attempt() for _ in range(20)))


BLOCKED = [
    "http://127.0.0.1:1/",
    "http://127.1:1/",
    "http://2130706433:1/",
    "http://0x7f000001:1/",
    "http://0.0.0.0:1/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]:1/",
    "http://[::ffff:127.0.0.1]:1/",
    "http://[::]:1/",
    "http://[fe80::1%25lo]:1/",
    "http://[64:ff9b::7f00:1]:1/",
    "http://[2002:7f00:1::]:1/",
    "http://localhost:1/",
]


@pytest.mark.parametrize("url", BLOCKED)
async def test_a_private_address_is_not_dialled(guarded, url):
    # aiohttp itself refuses the odd ways to write an IPv4 address.
    assert await failure(guarded, get(url)) in ("blocked", "protocol")

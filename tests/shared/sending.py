"""Words for tests that send requests."""

import asyncio

import pytest

from dispatcher.request import DEFAULT_TLS, Request
from dispatcher.transport import TransportError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok"


def get(url, *, tls=DEFAULT_TLS, **headers):
    return Request("GET", url, {"webhook-id": "id-1"} | headers, None, tls)


def post(url, body, tls=DEFAULT_TLS):
    headers = {"webhook-id": "id-1", "Content-Type": "application/x-www-form-urlencoded"}
    return Request("POST", url, headers, body, tls)


async def failed(transport, request):
    """The error that a request ends with."""
    with pytest.raises(TransportError) as failed:
        await transport.send(request)
    return failed.value


async def failure(transport, request):
    """Its class."""
    return (await failed(transport, request)).error


async def elapsed(awaitable):
    loop = asyncio.get_running_loop()
    began = loop.time()
    await awaitable
    return loop.time() - began


async def served(reader, writer, answer=OK):
    """Read one request and answer it; the request."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(answer)
    await writer.drain()
    return head

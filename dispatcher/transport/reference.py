"""The reference transport: aiohttp, whose behaviour many know."""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl
import time
from io import BytesIO

import aiohttp
from yarl import URL

from dispatcher.guard import Guard
from dispatcher.request import Request
from dispatcher.resolver import GuardedResolver, Refused
from dispatcher.transport import KEPT_BODY, Answer, Ended, TransportError
from dispatcher.transport.observed import Connector, Try, under_way
from dispatcher.transport.origin import Origins, check_name
from dispatcher.transport.pool import IDLE_LIMIT
from dispatcher.transport.reader import FIELDS_LIMIT, HEAD_LIMIT, head_size, joined
from dispatcher.transport.tls import context

_LONG = 512 * 1024
"""Bytes of a body that are not written at once."""


class AiohttpTransport:
    """The reference: aiohttp with connections kept alive, and one deadline over everything."""

    def __init__(
        self,
        guard: Guard,
        deadline: float,
        max_response_bytes: int,
        *,
        dns_timeout: float = 5.0,
    ) -> None:
        """`deadline` and `dns_timeout` in seconds; must be made on the event loop that sends."""
        self._guard = guard
        self._deadline = deadline
        self._max_response_bytes = max_response_bytes
        self._timeout = _timeout(deadline)
        self._origins = Origins()
        self._session = aiohttp.ClientSession(
            connector=Connector(GuardedResolver(guard, dns_timeout), IDLE_LIMIT),
            timeout=self._timeout,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept-Encoding", "Content-Type"),
            max_line_size=HEAD_LIMIT,
            max_field_size=HEAD_LIMIT,
            max_headers=FIELDS_LIMIT,
        )
        # It would send a GET again and not a POST, and also after a part of an answer.
        self._session._retry_connection = False
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, request: Request, ended: Ended) -> None:
        """See `Transport.start`."""
        task = asyncio.get_running_loop().create_task(self._sent(request, ended))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sent(self, request: Request, ended: Ended) -> None:
        try:
            result: Answer | TransportError = await self.send(request)
        except TransportError as error:
            result = error
        ended(result)

    async def send(self, request: Request) -> Answer:
        """See `Transport.send`."""
        one = Try(time.monotonic())
        token = under_way.set(one)
        try:
            async with asyncio.timeout(self._deadline):  # its own has let some requests hang
                return await self._send(request, one)
        except TransportError as error:
            error.trace = one.trace
            raise
        except Exception as error:  # whatever a server makes the client raise is its endpoint's
            raise self._explained(error, request, one) from error
        finally:
            under_way.reset(token)

    async def _send(self, request: Request, one: Try) -> Answer:
        if self._session.closed:
            raise TransportError("closed", "the transport is closed")
        origin, _ = self._origins.split(request.url, request.tls)
        refusal = self._guard.check(origin.host, origin.port)
        if refusal is not None:
            raise TransportError("blocked", refusal)
        for name, value in request.headers.items():
            if not (check_name(name) and value.isascii()):
                raise TransportError("protocol", "a header holds what is not ASCII")
        verified = context(request.tls) if origin.secure else True
        try:
            return await self._try(request, verified, self._timeout)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # The server had closed a kept connection, and we had not heard of it yet.
            if not (one.trace.reused and not one.received):
                raise
        left = self._deadline - (time.monotonic() - one.started_at)
        one.again()
        return await self._try(request, verified, _timeout(max(left, 0.001)))

    async def _try(
        self, request: Request, verified: ssl.SSLContext | bool, within: aiohttp.ClientTimeout
    ) -> Answer:
        async with self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=_payload(request.body),
            allow_redirects=False,
            ssl=verified,
            timeout=within,
        ) as response:
            if response.status < 200:
                raise TransportError("protocol", f"the server answered {response.status}")
            fields = list(response.raw_headers)
            if head_size(fields) > HEAD_LIMIT:
                raise TransportError("protocol", "the head of the answer is too long")
            body = await self._read(response)
            return Answer(response.status, joined(fields), body, under_way.get().trace)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The start of the body. What is longer than the cap is not read: the connection ends."""
        kept = bytearray()
        size = 0
        async for chunk in response.content.iter_any():
            if len(kept) < KEPT_BODY:
                kept += chunk[: KEPT_BODY - len(kept)]
            size += len(chunk)
            if size > self._max_response_bytes:
                response.close()
                break
        return bytes(kept)

    def _explained(self, error: Exception, request: Request, one: Try) -> TransportError:
        """The one place that turns aiohttp's errors into ours."""
        detail = str(error) or type(error).__name__
        trace = one.trace
        if isinstance(error, TimeoutError):
            detail = f"no complete answer within {self._deadline:g} s"
            return TransportError("timeout", detail, trace)
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, Refused):
            return TransportError("blocked", str(error.os_error), trace)
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return TransportError("dns", str(error.os_error) or detail, trace)
        if one.in_handshake(request.url) or _of_tls(error):
            return TransportError("tls", detail, trace)
        if isinstance(error, aiohttp.ClientConnectorError):
            return TransportError("connect", detail, trace)
        if isinstance(error, aiohttp.ClientPayloadError) and one.malformed:
            return TransportError("protocol", detail, trace)
        if isinstance(error, (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)):
            return TransportError("closed", detail, trace)
        if isinstance(error, OSError):
            return TransportError("connect", detail, trace)
        return TransportError("protocol", detail, trace)

    async def close(self) -> None:
        """End all connections."""
        with contextlib.suppress(TimeoutError):  # it would wait for what a server never reads
            async with asyncio.timeout(1):
                await self._session.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)
        for task in self._tasks:
            task.cancel()
        await asyncio.sleep(0)


def _payload(body: bytes | None) -> bytes | BytesIO | None:
    """It writes a file in pieces, and bytes at once, with a warning where there are many."""
    return BytesIO(body) if body is not None and len(body) > _LONG else body


def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    # Without the threshold it would round 5 s and more up to a whole second of the loop's clock.
    return aiohttp.ClientTimeout(total=seconds, ceil_threshold=math.inf)


def _of_tls(error: BaseException | None) -> bool:
    """Whether an error is one of TLS, or came of one."""
    while error is not None:
        if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
            return True
        error = error.__cause__
    return False

"""The reference transport: aiohttp, whose behaviour many know."""

from __future__ import annotations

import asyncio
import ssl
from ipaddress import ip_address

import aiohttp
from yarl import URL

from dispatcher.guard import Guard
from dispatcher.request import Request
from dispatcher.resolver import GuardedResolver, Refused
from dispatcher.transport import KEPT_BODY, Answer, TransportError


class AiohttpTransport:
    """The reference: aiohttp with connections kept alive, and one deadline over everything."""

    def __init__(self, guard: Guard, deadline: float, max_response_bytes: int) -> None:
        """`deadline` in seconds; must be made on the event loop that sends."""
        self._guard = guard
        self._deadline = deadline
        self._max_response_bytes = max_response_bytes
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # the lanes limit what is in flight
                resolver=GuardedResolver(guard),
                ttl_dns_cache=30,
                keepalive_timeout=30,
            ),
            timeout=aiohttp.ClientTimeout(total=deadline),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )

    async def send(self, request: Request) -> Answer:
        """See `Transport.send`."""
        try:
            url = URL(request.url, encoded=True)
            self._check_literal(url)
            async with self._session.request(
                request.method,
                url,
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
            ) as response:
                body = await self._read(response)
                return Answer(response.status, dict(response.headers), body)
        except TransportError:
            raise
        except Exception as error:  # whatever a server makes the client raise is its endpoint's
            raise self._explained(error) from error

    def _check_literal(self, url: URL) -> None:
        """An address in place of a host name never meets the resolver."""
        host = url.raw_host or ""
        try:
            ip_address(host.partition("%")[0])
        except ValueError:
            return
        refusal = self._guard.refusal(host)
        if refusal is not None:
            raise TransportError("blocked", refusal)

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

    def _explained(self, error: Exception) -> TransportError:
        """The one place that turns aiohttp's errors into ours."""
        detail = str(error) or type(error).__name__
        if isinstance(error, TimeoutError):
            return TransportError("timeout", f"no complete answer within {self._deadline:g} s")
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            if isinstance(error.os_error, Refused):
                return TransportError("blocked", str(error.os_error))
            return TransportError("dns", detail)
        if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
            return TransportError("tls", detail)
        if isinstance(error, aiohttp.ClientConnectorError):
            if isinstance(error.os_error, Refused):
                return TransportError("blocked", str(error.os_error))
            return TransportError("connect", detail)
        if isinstance(error, aiohttp.ClientConnectionError):
            return TransportError("closed", detail)
        if isinstance(error, OSError):
            return TransportError("connect", detail)
        return TransportError("protocol", detail)

    async def close(self) -> None:
        """End all connections."""
        await self._session.close()
        await asyncio.sleep(0)

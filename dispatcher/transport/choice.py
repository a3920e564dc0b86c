"""The transport that the settings ask for: one for deliveries and test-sends alike."""

from __future__ import annotations

from dispatcher.guard import Guard
from dispatcher.request import DEFAULT_TLS
from dispatcher.transport import Transport
from dispatcher.transport.native import NativeTransport
from dispatcher.transport.reference import AiohttpTransport
from dispatcher.transport.tls import context
from streaming.settings import Settings

_KINDS: dict[str, type[NativeTransport | AiohttpTransport]] = {
    "native": NativeTransport,
    "aiohttp": AiohttpTransport,
}


def transport(settings: Settings) -> Transport:
    """Must be made on the event loop that sends."""
    context(DEFAULT_TLS)  # reads the system's authorities: not within the first request's deadline
    return _KINDS[settings.dispatcher_transport](
        Guard(settings.dispatcher_allow_networks, settings.dispatcher_allow_ports),
        settings.dispatcher_deadline,
        settings.dispatcher_max_response_bytes,
        dns_timeout=settings.dispatcher_dns_timeout,
    )

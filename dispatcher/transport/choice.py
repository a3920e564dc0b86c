"""The transport that the settings ask for: one for deliveries and test-sends alike."""

from __future__ import annotations

import resource
import sys

from dispatcher.guard import Guard
from dispatcher.request import DEFAULT_TLS
from dispatcher.transport import Transport
from dispatcher.transport.native import NativeTransport
from dispatcher.transport.reference import AiohttpTransport
from dispatcher.transport.tls import context
from streaming.settings import Settings

SPARE_FILES = 512
"""For Kafka's connections, the metrics' and libraries."""


def transport(settings: Settings) -> Transport:
    """Must be made on the event loop that sends."""
    context(DEFAULT_TLS)  # reads the system's authorities: not within the first request's deadline
    common = (
        Guard(settings.dispatcher_allow_networks, settings.dispatcher_allow_ports),
        settings.dispatcher_deadline,
        settings.dispatcher_max_response_bytes,
    )
    dns_timeout = settings.dispatcher_dns_timeout
    if settings.dispatcher_transport == "aiohttp":
        return AiohttpTransport(*common, dns_timeout=dns_timeout)
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return NativeTransport(
        *common,
        dns_timeout=dns_timeout,
        idle_connections=settings.dispatcher_idle_connections,
        connections=connections(files),
    )


def connections(files: int) -> int:
    """How many there may be, in use or idle, in a process that may open so many files."""
    return sys.maxsize if files == resource.RLIM_INFINITY else max(1, files - SPARE_FILES)

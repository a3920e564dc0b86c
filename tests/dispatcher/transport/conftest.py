"""Every implementation of the port, on every event loop, and names that mean what a test says."""

import asyncio
import socket
from ipaddress import ip_network

import pytest
from transports import LOOPS, MAKERS

from dispatcher.guard import Guard

DEADLINE = 0.3
HERE = [ip_network("127.0.0.0/8"), ip_network("::1")]


ON_ALL_LOOPS = ("test_connections", "test_tls", "test_deadline")
"""What depends on the event loop; it costs less to run the rest on the one used in production."""


def pytest_asyncio_loop_factories(config, item):
    return LOOPS if item.path.stem in ON_ALL_LOOPS else {"uvloop": LOOPS["uvloop"]}


def pytest_collection_modifyitems(config, items):
    """The reference on plain asyncio is aiohttp's own to test."""
    theirs = [one for one in items if "[asyncio-reference" in one.name]
    items[:] = [one for one in items if one not in theirs]
    config.hook.pytest_deselected(items=theirs)


@pytest.fixture(params=MAKERS)
def implementation(request):
    return request.param


@pytest.fixture
async def make(implementation):
    """`make(deadline=5, allowed=[])`: a transport that may reach this machine, or what it says."""
    made = []

    def build(deadline=DEADLINE, most=10_000, allowed=HERE, **named):
        made.append(MAKERS[implementation](Guard(allowed), deadline, most, **named))
        return made[-1]

    yield build
    for one in made:
        await one.close()


@pytest.fixture
async def transport(make):
    return make()


@pytest.fixture
async def guarded(make):
    """One that lets nothing through but public addresses."""
    return make(allowed=[])


@pytest.fixture(autouse=True)
async def nothing_is_left():
    """No task, and nothing that the event loop could not hand to anybody."""
    loop, complaints = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    yield
    for _ in range(10):
        await asyncio.sleep(0)
    assert not complaints
    left = {
        one for one in asyncio.all_tasks() if "/tests/" not in one.get_coro().cr_code.co_filename
    }
    assert left <= {asyncio.current_task()}


_getaddrinfo = socket.getaddrinfo


class Names:
    """What the system's resolver answers; nothing leaves the machine."""

    def __init__(self):
        self.addresses, self.asked = {}, []

    def __setitem__(self, name, addresses):
        self.addresses[name] = addresses

    def getaddrinfo(self, host, *args, **named):
        if host[:1].isdigit() or ":" in host:
            return _getaddrinfo(host, *args, **named)
        self.asked.append(host)
        if host not in self.addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [
            (socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "",
             (text, 0))
            for text in self.addresses[host]
        ]  # fmt: skip


@pytest.fixture
def names(monkeypatch):
    """`names["a.example"] = ["127.0.0.1"]`"""
    one = Names()
    monkeypatch.setattr(socket, "getaddrinfo", one.getaddrinfo)
    return one


@pytest.fixture
def forget(implementation):
    """`forget(transport)`: as if the addresses had been looked up long ago."""

    def native(transport):
        transport._addresses._known.clear()

    def reference(transport):
        transport._session.connector.clear_dns_cache()

    return {"native": native, "reference": reference}[implementation]


@pytest.fixture
async def serve():
    """`await serve(handler, ssl=…, host="::1")`: the port of a server whose handler (reader,
    writer) has the connection for itself."""
    servers = []

    async def start(handler, *, ssl=None, host="127.0.0.1", port=0):
        async def handle(reader, writer):
            try:
                await handler(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        one = await asyncio.start_server(handle, host, port, ssl=ssl)
        servers.append(one)
        return one.sockets[0].getsockname()[1]

    yield start
    for one in servers:
        one.close()
        await one.wait_closed()

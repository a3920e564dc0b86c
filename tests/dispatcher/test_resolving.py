"""Names looked up by the transport; the look-up itself is a fake, so nothing leaves the machine."""

import asyncio
import socket
import threading

import pytest
import uvloop

from dispatcher.guard import Guard
from dispatcher.render import Request
from dispatcher.resolver import ThreadResolver
from dispatcher.transport import TransportError
from dispatcher.transport.reference import AiohttpTransport


class FakeResolver:
    """Answers with these addresses, or raises, or never answers."""

    def __init__(self, answer):
        self._answer = answer

    async def resolve(self, host, port=0, family=socket.AF_INET):
        if self._answer is None:
            await asyncio.Event().wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        return [
            {"hostname": host, "host": address, "port": port, "family": socket.AF_INET, "proto": 0,
             "flags": socket.AI_NUMERICHOST}
            for address in self._answer
        ]  # fmt: skip

    async def close(self):
        pass


@pytest.fixture
async def send_to():
    """`await send_to(["10.0.0.1"])`: the class of error when a name resolves to these."""
    made = []

    async def send(answer, allowed=(), port=80):
        transport = AiohttpTransport(Guard(allowed), 0.3, 100)
        made.append(transport)
        transport._session.connector._resolver._resolver = FakeResolver(answer)
        url = f"http://customer.example:{port}/"
        with pytest.raises(TransportError) as failed:
            await transport.send(Request("GET", url, {}, None))
        return failed.value

    yield send
    for transport in made:
        await transport.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1"])
async def test_a_name_of_a_private_address_is_blocked(send_to, address):
    assert (await send_to([address])).error == "blocked"


async def test_a_refusal_names_the_setting_that_would_allow_it(send_to):
    assert "PCA_DISPATCHER_ALLOW_NETWORKS" in str(await send_to(["10.1.2.3"]))


async def test_a_name_that_nobody_knows_is_an_error_of_dns(send_to):
    assert (await send_to(OSError(-2, "Name or service not known"))).error == "dns"


async def test_a_name_without_addresses_is_an_error_of_dns(send_to):
    assert (await send_to([])).error == "dns"


async def test_a_look_up_that_never_ends_is_given_up_at_the_deadline(send_to):
    assert (await send_to(None)).error == "timeout"


async def test_the_real_resolver_does_not_know_an_invalid_host():
    transport = AiohttpTransport(Guard([]), 5, 100)
    with pytest.raises(TransportError) as failed:
        await transport.send(Request("GET", "http://nothing.invalid/", {}, None))
    await transport.close()
    assert failed.value.error == "dns"


def test_names_that_nobody_answers_for_hold_up_no_other_on_uvloop(monkeypatch):
    # uvloop's own look-ups share a pool in which two slow ones stop everybody.
    ended = threading.Event()

    def look_up(host, *args, **kwargs):
        if host.startswith("dead"):
            ended.wait(20)
            raise OSError("nobody answers")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]

    async def resolve():
        resolver = ThreadResolver()
        dead = [asyncio.create_task(resolver.resolve(f"dead-{n}")) for n in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            found = await resolver.resolve("alive")
        ended.set()
        await asyncio.gather(*dead, return_exceptions=True)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert [address["host"] for address in uvloop.run(resolve())] == ["192.0.2.1"]

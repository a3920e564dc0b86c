"""Names looked up, and judged, before anything is dialled; the system's answers are fakes, so
nothing leaves the machine."""

import asyncio
import socket
import threading
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
import uvloop
from transports import MAKERS

from dispatcher.guard import Guard
from dispatcher.render import Request
from dispatcher.resolver import DnsTimeout, GuardedResolver, Refused, ThreadResolver
from dispatcher.transport import TransportError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
UNKNOWN = socket.gaierror(-2, "Name or service not known")


def addresses(*texts):
    """What the system answers for a name with these addresses."""
    return [
        (socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 0))
        for text in texts
    ]


class System:
    """Stands in for `socket.getaddrinfo`, whoever calls it.

    Answers each name as told: the n-th answer the n-th time, the last one from then on. Names that
    begin with `dead` hang until `release`.
    """

    def __init__(self):
        self.answers, self.asked, self.most = {}, [], 0
        self._now, self._lock, self._released = 0, threading.Lock(), threading.Event()

    def getaddrinfo(self, host, *args, **named):
        with self._lock:
            self.asked.append(host)
            answers = self.answers.get(host, [UNKNOWN])
            answer = answers[min(self.asked.count(host), len(answers)) - 1]
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            if host.startswith("dead"):
                assert self._released.wait(60)
            if isinstance(answer, Exception):
                raise answer
            return answer
        finally:
            with self._lock:
                self._now -= 1

    def release(self):
        self._released.set()


@pytest.fixture
def system(monkeypatch):
    one = System()
    monkeypatch.setattr(socket, "getaddrinfo", one.getaddrinfo)
    yield one
    one.release()


async def hosts(resolver, host, port=80, family=socket.AF_UNSPEC):
    return [result["host"] for result in await resolver.resolve(host, port, family)]


async def until(true):
    """Go round until it comes true."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  # other threads bring it about
            await asyncio.sleep(0.001)


# what a name is answered with


async def test_a_public_name_is_its_addresses_in_the_systems_order(system):
    system.answers["a.example"] = [addresses("2606:4700::1111", "1.1.1.1")]
    found = await GuardedResolver(Guard([])).resolve("a.example", 443)
    assert [(one["host"], one["port"], one["family"], one["hostname"]) for one in found] == [
        ("2606:4700::1111", 443, socket.AF_INET6, "a.example"),
        ("1.1.1.1", 443, socket.AF_INET, "a.example"),
    ]
    assert all(one["flags"] & socket.AI_NUMERICHOST for one in found)  # no look-up to dial it


async def test_of_mixed_answers_the_refused_ones_are_left_out(system):
    system.answers["a.example"] = [
        addresses("127.0.0.1", "1.1.1.1", "10.0.0.1", "64:ff9b::1.1.1.1", "2606:4700::1111", "::1")
    ]
    assert await hosts(GuardedResolver(Guard([])), "a.example") == ["1.1.1.1", "2606:4700::1111"]


async def test_a_name_with_refused_addresses_only_is_refused_and_told_why(system):
    system.answers["a.example"] = [addresses("127.0.0.1", "10.0.0.1")]
    with pytest.raises(Refused, match=r"^a\.example: 127\.0\.0\.1 is a loopback address; PCA_"):
        await hosts(GuardedResolver(Guard([])), "a.example")


async def test_a_name_that_answers_publicly_first_and_not_the_second_time_is_refused_then(system):
    system.answers["a.example"] = [addresses("1.1.1.1"), addresses("127.0.0.1")]
    resolver = GuardedResolver(Guard([]))
    assert await hosts(resolver, "a.example") == ["1.1.1.1"]
    with pytest.raises(Refused):
        await hosts(resolver, "a.example")


@pytest.mark.parametrize(("host", "address"), [
    ("127.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("2130706433", "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1"), ("①②⑦.1", "127.0.0.1"),
])  # fmt: skip
async def test_a_literal_is_its_own_answer_and_nobody_is_asked(system, host, address):
    allowing = GuardedResolver(Guard([ip_network("127.0.0.0/8")]))
    assert await hosts(allowing, host) == [address]
    with pytest.raises(Refused):
        await hosts(GuardedResolver(Guard([])), host)
    assert system.asked == []


async def test_a_zone_stays_with_its_address(system):
    resolver = GuardedResolver(Guard([ip_network("fe80::/10")]))
    assert await hosts(resolver, "fe80::1%lo") == ["fe80::1%lo"]
    system.answers["a.example"] = [
        [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 0, 0, 1))]
    ]
    assert await hosts(resolver, "a.example") == ["fe80::1%lo"]


async def test_a_literal_of_the_other_family_is_no_answer(system):
    with pytest.raises(OSError, match="family"):
        await hosts(GuardedResolver(Guard([])), "1.1.1.1", family=socket.AF_INET6)


async def test_a_name_that_always_means_this_machine_is_not_even_looked_up(system):
    with pytest.raises(Refused):
        await hosts(GuardedResolver(Guard([])), "crm.localhost")
    assert system.asked == []


async def test_localhost_is_the_loopback_addresses_that_are_allowed(system):
    system.answers["localhost"] = [addresses("::1", "127.0.0.1")]
    resolver = GuardedResolver(Guard([ip_network("127.0.0.0/8")]))
    assert await hosts(resolver, "localhost") == ["127.0.0.1"]


async def test_a_name_that_nobody_knows_is_said_to_be_so_to_everybody_who_asked(system):
    resolver = GuardedResolver(Guard([]))
    asked = [asyncio.create_task(hosts(resolver, "nobody.example")) for _ in range(2)]
    errors = await asyncio.gather(*asked, return_exceptions=True)
    assert [error.errno for error in errors] == [-2, -2]
    assert system.asked == ["nobody.example"]


@pytest.mark.parametrize("host", ["a\0b.example", "a..example", "x" * 64, "\udc80", "a" * 300])
async def test_what_is_no_name_is_an_error_and_hangs_nobody(host):
    with pytest.raises(OSError, match=r".+"):  # by the real system, which asks nobody for these
        await hosts(GuardedResolver(Guard([])), host)


# time and places


async def test_a_look_up_has_a_budget_of_its_own(system):
    with pytest.raises(DnsTimeout, match=r"^dead was not looked up within 0\.02 s$"):
        await hosts(GuardedResolver(Guard([]), 0.02), "dead")


async def test_an_answer_that_comes_too_late_does_no_harm(system):
    system.answers["dead"] = [addresses("127.0.0.1"), addresses("1.1.1.1")]
    hasty, patient = GuardedResolver(Guard([]), 0.02), GuardedResolver(Guard([]))
    threads = patient._resolver = hasty._resolver
    with pytest.raises(DnsTimeout):
        await hosts(hasty, "dead")
    system.release()
    await until(lambda: threads._look_ups.running == 0)
    assert await hosts(patient, "dead") == ["1.1.1.1"]
    assert system.asked == ["dead", "dead"]


async def test_an_answer_that_is_late_for_one_is_in_time_for_the_next(system):
    system.answers["dead"] = [addresses("1.1.1.1")]
    resolver = ThreadResolver()
    early = asyncio.create_task(hosts(resolver, "dead"))
    await until(lambda: system.asked)
    early.cancel()
    late = asyncio.create_task(hosts(resolver, "dead"))
    await asyncio.sleep(0)
    system.release()
    assert await late == ["1.1.1.1"]
    assert system.asked == ["dead"]


async def test_threads_of_names_that_are_given_up_again_and_again_do_not_pile_up(system):
    resolver = ThreadResolver(places=4)
    for _ in range(5):
        tasks = [asyncio.create_task(hosts(resolver, f"dead-{n}")) for n in range(50)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await until(lambda: len(system.asked) == 3)  # new names leave a quarter of the places
    assert resolver._look_ups.waiting == 0
    system.release()
    await until(lambda: resolver._look_ups.running == 0)
    assert (len(system.asked), resolver._asked) == (3, {})


async def test_more_names_than_places_all_get_their_turn_and_never_more_at_once(system):
    names = [f"name-{n}.example" for n in range(60)]
    system.answers = {name: [addresses("1.1.1.1")] for name in names}
    resolver = ThreadResolver(places=4)
    found = await asyncio.gather(*(hosts(resolver, name) for name in names))
    assert found == [["1.1.1.1"]] * 60
    assert system.most <= 4


async def test_one_name_is_looked_up_once_however_many_ask(system):
    system.answers["dead"] = [addresses("1.1.1.1")]
    resolver = ThreadResolver()
    tasks = [asyncio.create_task(hosts(resolver, "dead")) for _ in range(100)]
    await until(lambda: system.asked)
    system.release()
    assert await asyncio.gather(*tasks) == [["1.1.1.1"]] * 100
    assert system.asked == ["dead"]


async def test_who_still_waits_for_a_place_is_answered_though_another_gave_up(system):
    system.answers["a.example"] = [addresses("1.1.1.1")]
    resolver = ThreadResolver(places=1)
    dead = asyncio.create_task(hosts(resolver, "dead"))
    patient, hasty = (asyncio.create_task(hosts(resolver, "a.example")) for _ in range(2))
    await until(lambda: system.asked)
    hasty.cancel()
    await asyncio.gather(hasty, return_exceptions=True)
    system.release()
    assert await patient == ["1.1.1.1"]
    await asyncio.gather(dead, return_exceptions=True)


async def test_a_system_without_threads_is_an_error_and_the_next_look_up_goes_well(
    system, monkeypatch
):
    system.answers["a.example"] = [addresses("1.1.1.1")]
    resolver = ThreadResolver(places=1)

    def start(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(OSError, match="can't start new thread"):
            await hosts(resolver, "a.example")
    assert await hosts(resolver, "a.example") == ["1.1.1.1"]


def test_names_that_nobody_answers_for_hold_up_no_other_on_uvloop(system):
    # uvloop's own look-ups share a pool in which two slow ones stop everybody.
    system.answers["alive"] = [addresses("192.0.2.1")]

    async def resolve():
        resolver = ThreadResolver()
        dead = [asyncio.create_task(resolver.resolve(f"dead-{n}")) for n in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            found = await hosts(resolver, "alive")
        system.release()
        await asyncio.gather(*dead, return_exceptions=True)
        return found

    assert uvloop.run(resolve()) == ["192.0.2.1"]


async def test_a_storm_of_dead_names_holds_up_no_name_that_answered_before(system):
    system.answers["alive"] = [addresses("1.1.1.1")]
    resolver = ThreadResolver()
    assert await hosts(resolver, "alive") == ["1.1.1.1"]
    storm = [asyncio.create_task(hosts(resolver, f"dead-{n}")) for n in range(1000)]
    await asyncio.sleep(0)
    for _ in range(3):
        assert await hosts(resolver, "alive") == ["1.1.1.1"]
    assert (resolver._look_ups.running, resolver._look_ups.waiting) == (96, 904)
    for task in storm:
        task.cancel()
    await asyncio.gather(*storm, return_exceptions=True)
    assert (resolver._look_ups.running, resolver._look_ups.waiting) == (96, 0)
    assert len(resolver._asked) == 96


# through the transport: what was checked is what is dialled


class Endpoint:
    """Counts who reaches it on an address of this machine."""

    def __init__(self):
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def endpoints(*at):
    """One on each address, all on one port; and the port."""
    made, servers, port = [], [], 0
    for address in at:
        one = Endpoint()
        server = await asyncio.start_server(one.serve, address, port)
        port = server.sockets[0].getsockname()[1]
        made.append(one)
        servers.append(server)
    yield made, port
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture(params=MAKERS)
def transport(request):
    """`async with transport("127.0.0.2/32") as one:` of every kind; lets no more through."""

    @asynccontextmanager
    async def build(*allowed, deadline=5.0):
        guard = Guard([ip_network(network) for network in allowed])
        one = MAKERS[request.param](guard, deadline, 100)
        yield one
        await one.close()

    return build


async def failure(one, url):
    """The error that a request ends with."""
    with pytest.raises(TransportError) as failed:
        await one.send(Request("GET", url, {}, None))
    return failed.value


async def test_the_address_dialled_is_the_one_checked_and_is_not_looked_up_again(system, transport):
    # 127.0.0.2 plays the public address, 127.0.0.1 the one that must not be reached.
    system.answers["a.example"] = [addresses("127.0.0.2"), addresses("127.0.0.1")]
    async with (
        endpoints("127.0.0.2", "127.0.0.1") as ((public, private), port),
        transport("127.0.0.2/32") as one,
    ):
        answer = await one.send(Request("GET", f"http://a.example:{port}/", {}, None))
    assert (answer.status, public.connections, private.connections) == (200, 1, 0)
    assert system.asked == ["a.example"]


async def test_a_name_that_answers_differently_the_second_time_reaches_nothing_private(
    system, transport
):
    system.answers["a.example"] = [addresses("127.0.0.2"), addresses("127.0.0.1")]
    async with (
        endpoints("127.0.0.2", "127.0.0.1") as ((public, private), port),
        transport("127.0.0.2/32") as first,
        transport("127.0.0.2/32") as second,  # remembers nothing of the first
    ):
        url = f"http://a.example:{port}/"
        assert (await first.send(Request("GET", url, {}, None))).status == 200
        assert (await failure(second, url)).error == "blocked"
    assert (public.connections, private.connections) == (1, 0)
    assert system.asked == ["a.example"] * 2


async def test_a_refused_address_beside_an_allowed_one_is_never_dialled(system, transport):
    # Nobody listens on the allowed one: what is left out is no fall-back either.
    system.answers["a.example"] = [addresses("127.0.0.1", "127.0.0.2")]
    async with endpoints("127.0.0.1") as ((private,), port), transport("127.0.0.2/32") as one:
        assert (await failure(one, f"http://a.example:{port}/")).error == "connect"
    assert private.connections == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1"])
async def test_a_name_of_a_private_address_is_blocked(system, transport, address):
    system.answers["a.example"] = [addresses(address)]
    async with transport() as one:
        assert (await failure(one, "http://a.example/")).error == "blocked"


async def test_a_refusal_names_the_setting_that_would_allow_it(system, transport):
    system.answers["a.example"] = [addresses("10.1.2.3")]
    async with transport() as one:
        said = str(await failure(one, "http://a.example/"))
    assert "a.example: 10.1.2.3 is a private address" in said
    assert "PCA_DISPATCHER_ALLOW_NETWORKS=10.0.0.0/8" in said


async def test_a_name_that_nobody_knows_is_an_error_of_dns(system, transport):
    async with transport() as one:
        assert (await failure(one, "http://a.example/")).error == "dns"


async def test_a_name_without_addresses_is_an_error_of_dns(system, transport):
    system.answers["a.example"] = [[]]
    async with transport() as one:
        assert (await failure(one, "http://a.example/")).error == "dns"


async def test_a_look_up_that_never_ends_is_given_up_at_the_deadline(system, transport):
    async with transport(deadline=0.1) as one:
        assert (await failure(one, "http://dead/")).error == "timeout"


async def test_the_real_resolver_does_not_know_an_invalid_host(transport):
    async with transport() as one:
        assert (await failure(one, "http://nothing.invalid/")).error == "dns"

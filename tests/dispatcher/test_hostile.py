"""Every misbehaviour of the table against every transport: its outcome, and that no harm is left.

After each: the deadline and the cap were kept, no task, socket or descriptor is left, nothing was
logged, and the next request to the same origin gets an answer of its own.
"""

import asyncio
from typing import get_args

import pytest
from certificates import authority, server_context
from hostile import HostileServer
from hostile_page import PAGE, page, then
from misbehaviours import AMPLE, CAP, DEADLINE, DIFFERENCES, PART, ROWS
from transports import (
    MAKERS,
    Meter,
    Pulse,
    Stopwatch,
    connected_to,
    run,
    sockets,
    tasks,
    transport,
    turns,
    until,
)

from dispatcher.outcome import Error, outcome
from dispatcher.request import DEFAULT_TLS, Request, Tls
from dispatcher.schedule import Schedule
from dispatcher.transport import KEPT_BODY, Answer, TransportError

SLACK = 0.15
"""Seconds: timers of the deadline may be coarse."""
SMOKE = [row for number, row in enumerate(ROWS) if number % 6 == 0 or row.sends > 1000]
"""These run on plain asyncio too: some of all, and those in which both sides write."""


def request(server, tag, method="POST", size=3):
    tls = Tls(ca=authority().pem) if server.url.startswith("https:") else DEFAULT_TLS
    body = b"a" * size if method == "POST" else None
    return Request(method, server.url + "/", {"webhook-id": tag}, body, tls)


async def end_of(sending):
    """What a request ends with: an answer or an error, and nothing else is possible."""
    try:
        return await sending
    except TransportError as error:
        return error


def difference(row, name):
    """What is known of one transport and this row."""
    return next((d for d in DIFFERENCES if d.transport == name and row.name in d.rows), None)


def ends_with(row, name):
    """What one transport may make of it."""
    known = difference(row, name)
    return known.ends if known and known.ends else row.expected


def check_end(row, name, end):
    """The end is as the table says, and well-formed."""
    if isinstance(end, TransportError):
        assert end.error in get_args(Error)
        assert str(end)
        ended = end.error
    else:
        assert isinstance(end, Answer)
        assert len(end.body) <= KEPT_BODY
        assert all(isinstance(text, str) for pair in end.headers.items() for text in pair)
        if row.body is not None:
            assert end.body == row.body[:KEPT_BODY]
        ended = end.status
    assert ended in ends_with(row, name), f"{ended}, {end}"


async def patiently(one, asked):
    """Its answer; where the deadline is short, a busy machine may need several tries."""
    for _ in range(4):
        end = await end_of(one.send(asked))
        if isinstance(end, Answer) or end.error != "timeout":
            break
    return end


async def play(row, name):
    """One row against one transport, from the first connection to the last descriptor."""
    meter = Meter(asyncio.get_running_loop())
    tasks_before, sockets_before = tasks(), sockets()
    server = HostileServer(row.script, server_context() if row.secured else None)
    deadline = DEADLINE if "timeout" in ends_with(row, name) else AMPLE
    one = transport(name, deadline, CAP)
    try:
        if row.listens == "backlog full":
            server.listen_with_a_full_backlog()
        elif not row.listens:
            server.listen()
        for number in range(row.first):
            answer = await one.send(request(server, f"before-{number}"))
            assert answer.body == b"before-%d" % number
            await server.quiet()
            await turns()

        meter.received.clear()
        with Pulse() as pulse:
            watch = Stopwatch(pulse, deadline)
            end = await end_of(one.send(request(server, "this", row.method, row.sends)))
            overrun = watch.overrun()
        check_end(row, name, end)
        assert overrun < SLACK
        assert meter.received[server.port] <= CAP + PART
        assert server.times("this") in row.arrives

        server.heal()
        await server.quiet()
        await turns()
        most = 0 if row.reused is False or isinstance(end, TransportError) else 1
        assert await until(lambda: connected_to(server.port) <= most), "a connection is left"

        accepted = server.accepted
        answer = await patiently(one, request(server, "next"))
        assert (answer.status, answer.body) == (200, b"next")
        assert not any(b"\r\ncookie:" in head.lower() for head in server.arrived)
        if row.reused is not None:
            assert (server.accepted == accepted) is row.reused
    finally:
        await one.close()
        server.stop()
    assert await until(lambda: tasks() == tasks_before)
    assert await until(lambda: sockets().keys() == sockets_before.keys())


def each(rows):
    """Every row with every transport; where harm is known to be done, it must show."""
    made = []
    for row in rows:
        for name in MAKERS:
            known = difference(row, name)
            harm = known and not known.ends
            marks = [pytest.mark.xfail(reason=known.why, strict=known.always)] if harm else []
            made.append(pytest.param(row, name, id=f"{row.name}-{name}", marks=marks))
    return made


@pytest.mark.parametrize(("row", "name"), each(ROWS))
def test_a_server_that(row, name):
    run("uvloop", play(row, name))


@pytest.mark.parametrize(("row", "name"), each(SMOKE))
def test_on_plain_asyncio_a_server_that(row, name):
    run("asyncio", play(row, name))


SCHEDULE = Schedule((("5s", 5.0), ("1m", 60.0)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_comes_of_the_dispatch_for_a_server_that(row):
    for end in row.expected:
        status, error = (end, "status") if isinstance(end, int) else (None, end)
        assert outcome(status, error, 1, SCHEDULE, 0).name == then(row, end)


def test_the_page_says_what_the_table_says():
    assert PAGE.read_text() == page(), "python tests/shared/hostile_page.py writes it anew"
    assert f"each of these {len(ROWS)} servers" in page()


def test_there_are_many_and_each_is_told_once():
    names = [row.name for row in ROWS]
    assert len(names) >= 60
    assert len(set(names)) == len(names)


async def test_the_meter_sees_what_a_transport_reads():
    meter = Meter(asyncio.get_running_loop())
    server = HostileServer(lambda connection: connection.go_on())
    server.listen()
    for name in MAKERS:
        one = transport(name, AMPLE, CAP)
        meter.received.clear()
        answer = await one.send(request(server, "this"))
        assert answer.body == b"this"
        assert 50 < meter.received[server.port] < 200
        await one.close()
    server.stop()

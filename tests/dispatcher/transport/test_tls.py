"""TLS: who is trusted, what is sent to whom, and what goes wrong."""

import asyncio
import socket
import ssl
import threading
from contextlib import suppress

import pytest
from certificates import authority, issued, server_context
from cryptography.hazmat.primitives import serialization
from sending import failed, get, post, served

from deploy.certificates import Issued
from dispatcher.request import Tls
from dispatcher.transport.tls import context

TRUSTED = Tls(ca=authority().pem)


@pytest.fixture
async def transport(make):
    """Patient: to load the system's authorities takes a while."""
    return make(deadline=10)


@pytest.fixture
def secure(serve):
    """`await secure("expired")`: the URL of an HTTPS server with that certificate."""

    async def start(kind="good", *, asks=False):
        async def handle(reader, writer):
            while True:
                await served(reader, writer)

        return f"https://127.0.0.1:{await serve(handle, ssl=server_context(kind, asks=asks))}/"

    return start


async def test_a_server_with_a_trusted_certificate_is_answered_by(transport, secure):
    answer = await transport.send(get(await secure(), tls=TRUSTED))
    assert answer.body == b"ok"
    trace = answer.trace
    assert trace.tls_us > 0
    assert trace.connect_us + trace.tls_us < trace.first_byte_us


async def test_a_kept_connection_shakes_hands_once(transport, secure):
    url = await secure()
    await transport.send(get(url, tls=TRUSTED))
    trace = (await transport.send(post(url, b"a=1", TRUSTED))).trace
    assert (trace.reused, trace.tls_us) == (True, None)


BAD = ["unknown", "self-signed", "expired", "early", "of another host"]


@pytest.mark.parametrize("kind", BAD)
async def test_a_certificate_that_proves_nothing_is_an_error_of_tls(transport, secure, kind):
    error = await failed(transport, get(await secure(kind), tls=TRUSTED))
    assert error.error == "tls"
    assert "certificate" in str(error)
    assert error.trace.tls_us is None


async def test_the_private_authority_is_trusted_by_those_who_name_it_only(transport, secure):
    assert (await failed(transport, get(await secure()))).error == "tls"


@pytest.mark.parametrize("kind", BAD)
async def test_without_verification_any_certificate_will_do(transport, secure, kind):
    answer = await transport.send(get(await secure(kind), tls=Tls(verify=False)))
    assert answer.status == 200


async def test_connections_of_other_settings_are_not_shared(transport, secure):
    url = await secure()
    await transport.send(get(url, tls=Tls(verify=False)))
    assert (await failed(transport, get(url))).error == "tls"


async def test_the_name_is_sent_and_looked_for_in_the_certificate(transport, serve, names):
    names["other.example"], shown = ["127.0.0.1"], []
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates = server_context("of another host")

    def choose(one, name, _):
        shown.append(name)
        one.context = certificates

    server.sni_callback = choose
    heads = []

    async def handle(reader, writer):
        heads.append(await served(reader, writer))

    port = await serve(handle, ssl=server)
    await transport.send(get(f"https://other.example:{port}/", tls=TRUSTED))
    assert shown == ["other.example"]
    assert f"Host: other.example:{port}\r\n".encode() in heads[0]


def client(signer=None):
    one = Issued("A client", signer or authority(), hosts=["client.example"])
    return Tls(ca=authority().pem, client_certificate=one.pem, client_key=one.key_pem)


async def test_a_client_certificate_is_shown_to_a_server_that_asks(transport, secure):
    answer = await transport.send(get(await secure(asks=True), tls=client()))
    assert answer.status == 200


async def test_a_client_certificate_that_is_missing_is_an_error_of_tls(transport):
    """The server is a blocking one: asyncio's hangs up without saying why."""

    def accept():
        one = server_context(asks=True).wrap_socket(
            listener.accept()[0], server_side=True, do_handshake_on_connect=False
        )
        with one:
            with suppress(ssl.SSLError):
                one.do_handshake()
            ended.wait(10)  # hanging up before the client has read why would be a reset

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = asyncio.create_task(asyncio.to_thread(accept))
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        error = await failed(transport, get(url, tls=TRUSTED))
        ended.set()
        await accepting
    assert (error.error, "required" in str(error).lower()) == ("tls", True)


@pytest.mark.parametrize(
    "tls",
    [
        Tls(ca="nonsense"),
        Tls(client_certificate="nonsense", client_key="nonsense"),
        Tls(client_certificate=issued("good").pem, client_key=issued("expired").key_pem),
    ],
    ids=["the authority", "the client certificate", "the key of another"],
)
async def test_settings_that_cannot_be_read_are_an_error_of_tls(transport, secure, tls):
    assert (await failed(transport, get(await secure(), tls=tls))).error == "tls"


async def test_a_plain_server_is_an_error_of_tls(transport, serve):
    async def plain(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    error = await failed(transport, get(f"https://127.0.0.1:{await serve(plain)}/"))
    assert error.error == "tls"


async def test_a_server_that_hangs_up_in_the_handshake_is_an_error_of_tls(transport, serve):
    async def hangs_up(reader, writer):
        await reader.read(1)

    error = await failed(transport, get(f"https://127.0.0.1:{await serve(hangs_up)}/"))
    assert error.error == "tls"


async def test_a_long_body_and_a_long_answer_pass_through(make, serve):
    received = []

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        received.append(await reader.readexactly(4_000_000))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"y" * 1_000_000)
        await writer.drain()
        await served(reader, writer)

    transport, port = make(deadline=30, most=2_000_000), await serve(handle, ssl=server_context())
    url, body = f"https://127.0.0.1:{port}/", bytes(range(250)) * 16_000
    answer = await transport.send(post(url, body, TRUSTED))
    assert (received, answer.body) == ([body], b"y" * 4096)
    assert (await transport.send(get(url, tls=TRUSTED))).trace.reused


async def test_requests_at_once_over_tls_each_get_an_answer(make, secure):
    transport, url = make(deadline=30), await secure()
    for _ in range(3):
        answers = await asyncio.gather(*(transport.send(get(url, tls=TRUSTED)) for _ in range(20)))
        assert {answer.body for answer in answers} == {b"ok"}


async def test_an_answer_that_ends_with_the_connection_is_one_over_tls_too(transport, serve):
    async def handle(reader, writer):
        await served(reader, writer, b"HTTP/1.1 200 OK\r\n\r\nall of it")

    port = await serve(handle, ssl=server_context())
    answer = await transport.send(get(f"https://127.0.0.1:{port}/", tls=TRUSTED))
    assert answer.body == b"all of it"


def test_a_context_is_made_once_for_equal_settings():
    assert context(client_settings := client()) is context(Tls(
        ca=client_settings.ca,
        client_certificate=client_settings.client_certificate,
        client_key=client_settings.client_key,
    ))  # fmt: skip


def test_no_key_stays_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    context(client())
    assert list(tmp_path.iterdir()) == []


def test_a_key_with_a_password_does_not_ask_for_it():
    one = Issued("A client", authority(), hosts=["client.example"])
    locked = one.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    ).decode()
    with pytest.raises(Exception, match="certificates cannot be used"):
        context(Tls(client_certificate=one.pem, client_key=locked))

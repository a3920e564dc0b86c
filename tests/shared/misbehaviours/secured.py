"""What a server does with TLS."""

from __future__ import annotations

from certificates import Kind, server_context
from hostile import Connection, Script

from misbehaviours.row import OK, Row, head, lengthy, says, says_and_closes, says_and_resets


def over_tls(script: Script, kind: Kind = "good", *, old: bool = False, asks: bool = False):
    """The script, behind a handshake."""

    def secured(connection: Connection) -> None:
        connection.secure(server_context(kind, old=old, asks=asks))
        script(connection)

    return secured


def hello_and(data: bytes = b"", *, then: Script) -> Script:
    """Reads the start of the handshake and answers with these bytes."""

    def script(connection: Connection) -> None:
        connection.socket.recv(65_536)
        if data:
            connection.send(data)
        then(connection)

    return script


def _dribbles(connection: Connection) -> None:
    connection.socket.recv(65_536)
    connection.dribble(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(5000), 0.01)


def _asks_again(connection: Connection) -> None:
    connection.socket.recv(65_536)
    connection.flood(b"\x16\x03\x03\x00\x04" + bytes(4), 0.001)  # HelloRequest


def _garbage_inside(connection: Connection) -> None:
    connection.secure(server_context())
    connection.request()
    connection.send(head(b"Content-Length: 9") + b"abc")
    raw = connection.socket.detach()
    connection.take(raw)
    connection.send(b"\x17\x03\x03\x00\x20" + bytes(32))
    connection.hold()


def _closes_properly(connection: Connection) -> None:
    connection.request()
    connection.send(head() + b"abc")
    connection.socket = connection.socket.unwrap()  # type: ignore[attr-defined]


def _speaks_tls_on_a_plain_port(connection: Connection) -> None:
    connection.secure(server_context())


ROWS = (
    Row("has an expired certificate", over_tls(says(OK), "expired"), "tls", arrives=(0,),
        secured=True),
    Row("has a certificate that is not valid yet", over_tls(says(OK), "early"), "tls",
        arrives=(0,), secured=True),
    Row("has the certificate of another host", over_tls(says(OK), "of another host"), "tls",
        arrives=(0,), secured=True),
    Row("has a self-signed certificate", over_tls(says(OK), "self-signed"), "tls", arrives=(0,),
        secured=True),
    Row("has a certificate of an unknown authority", over_tls(says(OK), "unknown"), "tls",
        arrives=(0,), secured=True),
    Row("sends 300 certificates", over_tls(says(OK), "chained"), "tls", arrives=(0,),
        secured=True),
    Row("speaks TLS 1.1 at most", over_tls(says(OK), old=True), "tls", arrives=(0,), secured=True),
    Row("wants a certificate of ours", over_tls(says(OK), asks=True), ("tls", "closed"),
        arrives=(0,), secured=True),
    Row("speaks plain HTTP behind https", hello_and(OK, then=Connection.hold), "tls",
        arrives=(0,), secured=True),
    Row("says words behind https", hello_and(b"hello?\r\n", then=Connection.close), "tls",
        arrives=(0,), secured=True),
    Row("speaks TLS behind http", _speaks_tls_on_a_plain_port, ("protocol", "closed"),
        arrives=(0,)),
    Row("accepts and says nothing behind https", Connection.hold, "timeout", arrives=(0,),
        secured=True),
    Row("never ends its handshake", hello_and(then=Connection.hold), "timeout", arrives=(0,),
        secured=True),
    Row("dribbles its handshake", _dribbles, "timeout", arrives=(0,), secured=True),
    Row("closes in the handshake", hello_and(then=Connection.close), ("tls", "closed"),
        arrives=(0,), secured=True),
    Row("resets in the handshake", hello_and(then=Connection.reset), ("tls", "closed"),
        arrives=(0,), secured=True),
    Row("closes before the handshake", Connection.close, ("tls", "closed"), arrives=(0,),
        secured=True),
    Row("refuses the handshake by an alert",
        hello_and(b"\x15\x03\x03\x00\x02\x02\x28", then=Connection.close), "tls", arrives=(0,),
        secured=True),
    Row("sends garbage as its handshake",
        hello_and(b"\x16\x03\x03\x00\x10" + b"\xff" * 16, then=Connection.hold), "tls",
        arrives=(0,), secured=True),
    Row("asks for another handshake in the handshake, for ever", _asks_again, ("tls", "timeout"),
        arrives=(0,), secured=True),
    Row("answers well over TLS", over_tls(says(OK)), 200, body=b"ok", reused=True, secured=True),
    Row("ends a body without length by close_notify", over_tls(_closes_properly), 200,
        body=b"abc", reused=False, secured=True),
    Row("ends a body without length and without close_notify",
        over_tls(says_and_closes(head() + b"abc")), (200, "closed"), reused=False, secured=True),
    Row("closes without close_notify after a whole answer", over_tls(says_and_closes(OK)), 200,
        body=b"ok", reused=False, secured=True),
    Row("closes without close_notify in a body",
        over_tls(says_and_closes(head(b"Content-Length: 9") + b"abc")), "closed", secured=True),
    Row("resets in a body over TLS", over_tls(says_and_resets(head(b"Content-Length: 9"))),
        "closed", secured=True),
    Row("breaks TLS in a body", _garbage_inside, ("tls", "closed"), secured=True),
    Row("reads the request and says nothing over TLS", over_tls(says()), "timeout", reused=False,
        secured=True),
    Row("gives two answers at once over TLS", over_tls(says(OK + lengthy(b"forged"))), 200,
        body=b"ok", reused=False, secured=True),
)  # fmt: skip

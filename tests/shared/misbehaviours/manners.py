"""How a server keeps its word: kept-alive connections, second answers, redirects, requests."""

from __future__ import annotations

from hostile import Connection, Script, healthy

from misbehaviours.row import LAST, OK, Row, chunked, head, lengthy, says, says_and_closes

REQUEST_TIMEOUT = lengthy(b"slow", b"Connection: close", status=b"HTTP/1.1 408 Request Timeout")
FORGED = lengthy(b"forged", b"X-For: nobody")


def idle(data: bytes, *, closes: bool = False, resets: bool = False) -> Script:
    """One good answer; then, unasked, this; then goes on as a good server, or hangs up."""

    def script(connection: Connection) -> None:
        connection.healthily(1)
        connection.pause(0.01)
        if data:
            connection.send(data)
        if closes:
            return
        if resets:
            connection.reset()
        else:
            connection.go_on()

    return script


def _breaks_its_promise(start: bytes = b"") -> Script:
    """One good answer a connection; the second request is read and then hung up upon."""

    def script(connection: Connection) -> None:
        connection.healthily(1)
        connection.rest()
        connection.request()
        if start:
            connection.send(start)

    return script


def _promises_and_closes(connection: Connection) -> None:
    tag = connection.request()
    connection.send(healthy(tag).replace(b"\r\n", b"\r\nConnection: keep-alive\r\n", 1))


def redirect(status: int, to: bytes) -> Script:
    """Elsewhere, please."""
    return says(lengthy(b"", b"Location: " + to, status=b"HTTP/1.1 %d Moved" % status))


def status(code: int, *lines: bytes) -> Script:
    """An empty answer with this status and these headers."""
    return says(lengthy(b"", *lines, status=b"HTTP/1.1 %d Word" % code))


SECOND = (
    Row("gives two answers at once", says(OK + FORGED), 200, body=b"ok", reused=False),
    Row("gives two answers, one after the other", says(OK, FORGED), 200, body=b"ok",
        reused=False),
    Row("gives half a second answer", says(OK + FORGED[:40]), 200, body=b"ok", reused=False),
    Row("gives a second answer behind chunks", says(chunked(b"2\r\nok\r\n", LAST, FORGED)), 200,
        body=b"ok", reused=False),
    Row("gives an answer behind 204", says(head(status=b"HTTP/1.1 204 No Content") + FORGED), 204,
        body=b"", reused=False),
    Row("gives a hundred answers", says(OK + FORGED * 100), 200, body=b"ok", reused=False),
    Row("says one byte more", says(OK + b"H"), 200, body=b"ok", reused=False),
    Row("says one line end more", says(OK + b"\r\n"), 200, body=b"ok"),
    Row("gives an interim answer behind the final one",
        says(OK + b"HTTP/1.1 103 Early Hints\r\n\r\n"), 200, body=b"ok", reused=False),
)  # fmt: skip

KEPT = (
    Row("says 408 on an idle connection and goes on", idle(REQUEST_TIMEOUT), 200, body=b"this",
        first=1),
    Row("says 408 on an idle connection and closes", idle(REQUEST_TIMEOUT, closes=True), 200,
        body=b"this", first=1),
    Row("says 200 on an idle connection", idle(FORGED), 200, body=b"this", first=1),
    Row("says half an answer on an idle connection", idle(FORGED[:30]), 200, body=b"this", first=1),
    Row("says garbage on an idle connection", idle(b"\0garbage"), 200, body=b"this", first=1),
    Row("closes an idle connection", idle(b"", closes=True), 200, body=b"this", first=1),
    Row("resets an idle connection", idle(b"", resets=True), 200, body=b"this", first=1),
    Row("closes at the second request on a connection", _breaks_its_promise(), 200, first=1,
        arrives=(2,)),
    Row("closes at the second GET on a connection", _breaks_its_promise(), 200, first=1,
        method="GET", arrives=(2,)),
    Row("closes at the second request, after one byte of an answer", _breaks_its_promise(b"H"),
        "closed", first=1),
    Row("promises to keep the connection and closes it", _promises_and_closes, 200),
    Row("says Connection: close and keeps it open", says(lengthy(b"ok", b"Connection: close")),
        200, body=b"ok", reused=False),
    Row("says both close and keep-alive",
        says(lengthy(b"ok", b"Connection: keep-alive, close")), 200, body=b"ok"),
    Row("says Keep-Alive: timeout=0", says(lengthy(b"ok", b"Keep-Alive: timeout=0")), 200,
        body=b"ok"),
    Row("says Keep-Alive with nonsense", says(lengthy(b"ok", b"Keep-Alive: timeout=9e99, max=-1")),
        200, body=b"ok"),
    Row("offers HTTP/2 by Upgrade", says(lengthy(b"ok", b"Upgrade: h2c", b"Connection: Upgrade")),
        200, body=b"ok"),
    Row("offers an Upgrade in closing",
        says_and_closes(lengthy(b"ok", b"Upgrade: h2c", b"Connection: Upgrade, close")), 200,
        body=b"ok", reused=False),
    Row("wants an Upgrade", status(426, b"Upgrade: TLS/1.3", b"Connection: Upgrade"), 426, "dead"),
)  # fmt: skip

REDIRECTS = (
    *(Row(f"redirects by {code}", redirect(code, b"/other"), code, "dead", reused=True)
      for code in (300, 301, 302, 303, 305, 307, 308)),
    Row("redirects to a file", redirect(302, b"file:///etc/passwd"), 302, "dead", reused=True),
    Row("redirects into this machine", redirect(307, b"http://127.0.0.1:1/"), 307, "dead",
        reused=True),
    Row("redirects to the metadata of a cloud", redirect(308, b"http://169.254.169.254/latest/"),
        308, "dead", reused=True),
    Row("redirects to itself", redirect(301, b""), 301, "dead", reused=True),
    Row("redirects to a name that breaks lines", redirect(302, b"/a%0d%0aX-B:%20c"), 302, "dead",
        reused=True),
    Row("redirects to what is no URL", redirect(302, b"http://[::1"), 302, "dead", reused=True),
)  # fmt: skip

REQUESTS = (
    Row("sets cookies", status(200, b"Set-Cookie: a=b; Path=/", b"Set-Cookie: c=d"), 200,
        reused=True),
    Row("sets a cookie that is none", status(200, b"Set-Cookie: \xff=;;=\t; Max-Age=x"), 200,
        reused=True),
    Row("asks for a password", status(401, b'WWW-Authenticate: Basic realm="x"'), 401, "dead",
        reused=True),
    Row("asks for a password by NTLM", status(401, b"WWW-Authenticate: NTLM TlRMTVNTUA=="), 401,
        "dead", reused=True),
    Row("is a proxy that asks for a password", status(407, b"Proxy-Authenticate: Basic"), 407,
        "dead", reused=True),
    Row("points to another server by Alt-Svc", status(200, b'Alt-Svc: h3="127.0.0.1:1"'), 200,
        reused=True),
    Row("asks for TLS by Strict-Transport-Security",
        status(200, b"Strict-Transport-Security: max-age=31536000"), 200, reused=True),
    Row("refreshes", status(200, b"Refresh: 0; url=http://127.0.0.1:1/"), 200, reused=True),
    Row("says 408 to the request", status(408, b"Connection: close"), 408, "retry", reused=False),
    Row("says 425", status(425), 425, "retry", reused=True),
    Row("says 429 and Retry-After: -1", status(429, b"Retry-After: -1"), 429, "retry"),
    Row("says 429 and Retry-After: soon", status(429, b"Retry-After: soon"), 429, "retry"),
    Row("says 503 and Retry-After: 1e9", status(503, b"Retry-After: 1e9"), 503, "retry"),
    Row("says 503 and Retry-After in 1,000 digits", status(503, b"Retry-After: " + b"9" * 1000),
        503, "retry"),
    Row("says 503 and Retry-After on a day that is none",
        status(503, b"Retry-After: Wed, 99 Foo 2026 25:61:61 GMT"), 503, "retry"),
    Row("says 503 and an empty Retry-After", status(503, b"Retry-After:"), 503, "retry"),
    Row("says 503 and two Retry-After", status(503, b"Retry-After: 1", b"Retry-After: 2"), 503,
        "retry"),
    Row("says 503 and Retry-After in no ASCII", status(503, b"Retry-After: \xd9\xa2"), 503,
        "retry"),
    Row("says 500", status(500), 500, "retry", reused=True),
    Row("says 599", status(599), 599, "retry", reused=True),
    Row("says 404", status(404), 404, "dead", reused=True),
)  # fmt: skip

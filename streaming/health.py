"""`/metrics`, `/healthz` and `/readyz` on a port of their own, for stages without an HTTP API."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], str | None]
"""None when all is well, else the reason."""


class PortTaken(OSError):
    """The port cannot be listened on; the message says which setting to change."""


class HealthServer:
    """Serves in a thread of its own, so that it answers however busy the stage is."""

    def __init__(self, host: str, port: int, setting: str, alive: Check, ready: Check) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server calls
                if self.path == "/metrics":
                    self._answer(200, generate_latest(), CONTENT_TYPE_LATEST)
                elif self.path in ("/healthz", "/readyz"):
                    reason = alive() if self.path == "/healthz" else ready()
                    self._answer(503 if reason else 200, (reason or "ok").encode() + b"\n")
                else:
                    self._answer(404, b"there are /metrics, /healthz and /readyz\n")

            def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
                """Probes are not worth a log line."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise PortTaken(f"{host}:{port} cannot be listened on: {error} ({setting})") from error
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        serve = functools.partial(self._server.serve_forever, poll_interval=0.1)
        threading.Thread(target=serve, name="health", daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

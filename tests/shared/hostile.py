"""A server on 127.0.0.1 that misbehaves as told, and is healthy again when told.

It works with plain blocking sockets in threads of its own: a script is a function that reads like
what it does, can do anything to a socket, and shares no event loop with the client under test.

    def script(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nabc")
        connection.reset()
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable

TAG = re.compile(rb"\r\nwebhook-id: *([^\r\n]*)", re.IGNORECASE)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Gone(Exception):
    """The client has closed, or the server is told to stop: the script ends here."""


def healthy(tag: bytes) -> bytes:
    """A good answer, which says whose it is."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-For: %b\r\n\r\n%b" % (len(tag), tag, tag)


class Connection:
    """What a script does things to. Every verb raises `Gone` or OSError when the client went."""

    def __init__(self, server: HostileServer, accepted: socket.socket) -> None:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket: socket.socket = accepted
        self._server = server
        self._buffer = b""
        self.quiet = False
        """Nothing more will be sent unless a request comes first."""

    def secure(self, context: ssl.SSLContext) -> None:
        """Shake hands."""
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def take(self, descriptor: int) -> None:
        """Go on in the clear with a socket that was detached."""
        self.socket = socket.socket(fileno=descriptor)

    def _more(self) -> None:
        if self._server.stopping.is_set():
            raise Gone
        got = self.socket.recv(65_536)
        if not got:
            raise Gone
        self._buffer += got

    def head(self) -> bytes:
        """The head of the next request, and not a byte of its body."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, self._buffer = re.split(rb"(?<=\r\n\r\n)", self._buffer, maxsplit=1)
        self._server.arrived.append(head)
        return head

    def request(self) -> bytes:
        """The next request, to its end; returns its tag, the `webhook-id`."""
        head = self.head()
        length = LENGTH.search(head)
        self.skip(int(length[1]) if length else 0)
        tag = TAG.search(head)
        return tag[1] if tag else b""

    def skip(self, count: int) -> None:
        """So many bytes of a body."""
        while len(self._buffer) < count:
            count -= len(self._buffer)
            self._buffer = b""
            self._more()
        self._buffer = self._buffer[count:]

    def send(self, data: bytes) -> None:
        """All of it, however long that takes."""
        if self._server.stopping.is_set():
            raise Gone
        self.socket.sendall(data)

    def dribble(self, data: bytes, every: float) -> None:
        """A byte every so many seconds."""
        for byte in data:
            self.send(bytes([byte]))
            self.pause(every)

    def flood(self, part: bytes, every: float = 0.0) -> None:
        """The same again and again until the client goes."""
        while True:
            self.send(part)
            if every:
                self.pause(every)

    def pause(self, seconds: float) -> None:
        """Do nothing for a while."""
        if self._server.stopping.wait(seconds):
            raise Gone

    def hold(self) -> None:
        """Say and read nothing until the server stops."""
        self.rest()
        self._server.stopping.wait()
        raise Gone

    def rest(self) -> None:
        """From here on nothing is sent that nobody asked for."""
        self.quiet = True
        self._server.tell()

    def healthily(self, count: int) -> None:
        """Answer so many requests as a good server does."""
        for _ in range(count):
            self.send(healthy(self.request()))

    def go_on(self) -> None:
        """Answer as a good server does from now on, as long as the client likes."""
        self.rest()
        while True:
            self.healthily(1)

    def half_close(self) -> None:
        """No more is sent; still reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """As a server does that has nothing more to say; over TLS without close_notify."""
        self.socket.close()

    def reset(self) -> None:
        """Cut the connection: what is still under way is thrown away."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Script = Callable[[Connection], None]


class HostileServer:
    """Each connection runs `script`; new ones after `heal()` are healthy."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        """`context` is for healthy connections, where the server's clients speak TLS; a hostile
        script does its own handshake, well or badly. Must be made on the client's event loop."""
        self._script = script
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._connections: list[Connection] = []
        self._threads: list[threading.Thread] = []
        self._healed = False
        self._fillers: list[socket.socket] = []
        self.stopping = threading.Event()
        self.arrived: list[bytes] = []
        """Heads of all requests, in order."""
        self.faults: list[Exception] = []
        """Mistakes of scripts."""
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    @property
    def accepted(self) -> int:
        """Connections so far."""
        return len(self._connections)

    def times(self, tag: str) -> int:
        """How often the request with that tag arrived."""
        tags = (TAG.search(head) for head in self.arrived)
        return sum(found is not None and found[1] == tag.encode() for found in tags)

    def listen(self) -> None:
        """Accept connections."""
        self._listener.listen(128)
        self._start(self._accept)

    def listen_with_a_full_backlog(self) -> None:
        """Accept none, and have the kernel drop whoever knocks."""
        self._listener.listen(0)
        while True:
            filler = socket.socket()
            self._fillers.append(filler)
            filler.settimeout(0.05)
            try:
                filler.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return

    def heal(self) -> None:
        """From now on new connections are served well; also where nobody listened."""
        self._healed = True
        for filler in self._fillers:
            filler.close()
        if not self._threads:
            self.listen()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self._listener.accept()
                connection = Connection(self, accepted)
                self._connections.append(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: Connection) -> None:
        try:
            if not self._healed:
                self._script(connection)
            else:
                if self._context:
                    connection.secure(self._context)
                connection.go_on()
        except (OSError, Gone):
            pass
        except Exception as fault:  # shown by stop()
            self.faults.append(fault)
        finally:
            connection.socket.close()
            connection.rest()

    def tell(self) -> None:
        """A connection has changed."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._changed.set)

    async def quiet(self) -> None:
        """Until no script is going to send anything by itself. Raises TimeoutError."""
        async with asyncio.timeout(5):
            while not all(connection.quiet for connection in self._connections):
                self._changed.clear()
                await self._changed.wait()

    def stop(self) -> None:
        """End everything; raises what was wrong with a script."""
        self.stopping.set()
        for filler in self._fillers:
            filler.close()
        for one in [self._listener, *(c.socket for c in self._connections)]:
            with contextlib.suppress(OSError):
                # TLS sockets have a shutdown() of their own that another thread must not call.
                socket.socket.shutdown(one, socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
        for connection in self._connections:
            connection.socket.close()
        if self.faults:
            raise self.faults[0]

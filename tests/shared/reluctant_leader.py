"""A proxy to a broker that refuses the first records of a topic, as one that does not lead yet."""

import contextlib
import select
import socket
import struct
import threading

_PRODUCE = 0
_NOT_LEADER = 6


class ReluctantLeader:
    """Passes a client's connections on to `broker`, "HOST:PORT", all but one request.

    The first records for partition 0 of `topic` are refused: when more of them have come, or after
    `patience` seconds. What comes later is passed on. Of Kafka's protocol as of produce version 9.
    """

    def __init__(self, broker, topic, patience=0.5):
        self._host, port = broker.split(":")
        self._port = int(port)
        self._topic = _compact(topic.encode())
        self._patience = patience
        self.refusing = threading.Event()
        """The first records have come."""
        self._listener = socket.create_server((self._host, 0))
        own = self._listener.getsockname()[1]
        self.bootstrap = f"{self._host}:{own}"
        self._told = [self._host.encode() + struct.pack(">i", port) for port in (self._port, own)]
        """Where the broker says that it is, and what the client is told instead."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Take no further connections; those that stand end with the client."""
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            broker = socket.create_connection((self._host, self._port))
            for pump in (self._requests, self._answers):
                threading.Thread(target=pump, args=(client, broker), daemon=True).start()

    def _answers(self, client, broker):
        for frame in _frames(broker):
            client.sendall(frame.replace(*self._told))
        client.close()

    def _requests(self, client, broker):
        for request in _frames(client):
            if self._is_first(request):
                self.refusing.set()
                select.select([client], [], [], self._patience)
                client.sendall(self._refusal(request))
            else:
                broker.sendall(request)
        broker.close()

    def _is_first(self, request):
        (kind,) = struct.unpack_from(">h", request, 4)
        return kind == _PRODUCE and self._topic in request and not self.refusing.is_set()

    def _refusal(self, request):
        correlation = request[8:12]
        partition = struct.pack(">ihqqq", 0, _NOT_LEADER, -1, -1, -1) + b"\x01\x00\x00"
        answer = correlation + b"\x00\x02" + self._topic + b"\x02" + partition + b"\x00"
        answer += struct.pack(">i", 0) + b"\x00"
        return struct.pack(">i", len(answer)) + answer


def _compact(text):
    assert len(text) < 127
    return bytes([len(text) + 1]) + text


def _frames(connection):
    """Each message with its length before it, until the connection ends."""
    with contextlib.suppress(OSError):
        while len(head := connection.recv(4, socket.MSG_WAITALL)) == 4:
            yield head + connection.recv(*struct.unpack(">i", head), socket.MSG_WAITALL)

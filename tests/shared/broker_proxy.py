"""A proxy to a broker that may meddle with what passes."""

import contextlib
import socket
import struct
import threading

PRODUCE = 0
PASS, LOSE_ANSWER = object(), object()
"""What `meddle` says: nothing happens to the request; the broker gets it, and the client is cut off
before the answer."""


class BrokerProxy:
    """Passes a client's connections on to `broker`, "HOST:PORT"; the client is told to come here
    for everything."""

    def __init__(self, broker):
        self._host, port = broker.split(":")
        self._port = int(port)
        self._listener = socket.create_server((self._host, 0))
        own = self._listener.getsockname()[1]
        self.bootstrap = f"{self._host}:{own}"
        self._told = [self._host.encode() + struct.pack(">i", port) for port in (self._port, own)]
        """Where the broker says that it is, and what the client is told instead."""
        threading.Thread(target=self._accept, daemon=True).start()

    def meddle(self, request, client):
        """`PASS`, `LOSE_ANSWER`, or the bytes of an answer that the broker did not give."""
        return PASS

    def close(self):
        """Take no further connections; those that stand end with the client."""
        end(self._listener)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            broker = socket.create_connection((self._host, self._port))
            lost = threading.Event()
            for pump in (self._requests, self._answers):
                threading.Thread(
                    target=_until_cut_off, args=(pump, client, broker, lost), daemon=True
                ).start()

    def _answers(self, client, broker, lost):
        for frame in frames(broker):
            if lost.is_set():
                break
            client.sendall(frame.replace(*self._told))
        end(client)

    def _requests(self, client, broker, lost):
        for request in frames(client):
            verdict = self.meddle(request, client)
            if verdict is LOSE_ANSWER:
                lost.set()
            if verdict in (PASS, LOSE_ANSWER):
                broker.sendall(request)
            else:
                client.sendall(verdict)
        end(broker)


def _until_cut_off(pump, *connections):
    with contextlib.suppress(OSError):
        pump(*connections)


def end(one):
    """Close a socket, and wake who waits at it, which closing alone does not."""
    with contextlib.suppress(OSError):  # it was not connected any longer
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def kind_of(request):
    """Kafka's number of what is asked for."""
    (kind,) = struct.unpack_from(">h", request, 4)
    return kind


def frames(connection):
    """Each message with its length before it, until the connection ends."""
    with contextlib.suppress(OSError):
        while len(head := connection.recv(4, socket.MSG_WAITALL)) == 4:
            yield head + connection.recv(*struct.unpack(">i", head), socket.MSG_WAITALL)


class Scripted(BrokerProxy):
    """Says of the first produce requests (version 7) what the script does, then passes all: `PASS`,
    `LOSE_ANSWER`, or an error code for each of their partitions."""

    def __init__(self, broker, *script):
        super().__init__(broker)
        self._script = list(script)
        self.requests = []
        """The partitions of each produce request: (topic, number)."""

    def meddle(self, request, client):
        if kind_of(request) != PRODUCE:
            return PASS
        (version,) = struct.unpack_from(">h", request, 6)
        assert version == 7
        partitions = produced(request)
        self.requests.append(partitions)
        verdict = self._script.pop(0) if self._script else PASS
        if isinstance(verdict, int):
            return produce_answer(request[8:12], dict.fromkeys(partitions, verdict))
        return verdict


def produced(request):
    """The partitions that a produce request of version 7 has batches for."""
    found, at = [], 12
    (length,) = struct.unpack_from(">h", request, at)  # the client's id
    at += 2 + length + 2 + 2 + 4  # and no transaction, acks, timeout
    (topics,) = struct.unpack_from(">i", request, at)
    at += 4
    for _ in range(topics):
        (length,) = struct.unpack_from(">h", request, at)
        topic = request[at + 2 : at + 2 + length].decode()
        at += 2 + length
        (partitions,) = struct.unpack_from(">i", request, at)
        at += 4
        for _ in range(partitions):
            number, size = struct.unpack_from(">ii", request, at)
            at += 8 + size
            found.append((topic, number))
    return found


def produce_answer(correlation, codes, throttle=0):
    """The answer of version 7, with its length before it; `codes` by (topic, number)."""
    answer = correlation + struct.pack(">i", len(codes))
    for (topic, number), code in codes.items():
        name = topic.encode()
        answer += struct.pack(">h", len(name)) + name + struct.pack(">i", 1)
        answer += struct.pack(">ihqqq", number, code, -1, -1, -1)
    answer += struct.pack(">i", throttle)
    return struct.pack(">i", len(answer)) + answer

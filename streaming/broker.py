"""A connection to one broker, and the two requests that writing takes, one at a time.

Kafka's protocol in versions that every broker from 2.1 to 4 understands: Produce 7,
InitProducerId 1. In the clear only.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from confluent_kafka import KafkaError

CONNECT: Final = 10.0
"""Seconds for a connection to come about."""
ANSWER: Final = 30.0
"""Seconds that a broker may take until every in-sync copy has what is written."""
LIFELESS: Final = ANSWER + 5.0
"""Seconds without a byte after which a connection counts as dead."""
UNREACHABLE: Final = 10.0
"""Seconds in which nothing that was sent has arrived, after which it does so too."""
IDLE: Final = 240.0
"""Seconds after which a connection is not used again: brokers hang up after ten minutes, and what
is in between may do so without a word."""
_PRODUCE: Final = (0, 7)
_INIT_PRODUCER_ID: Final = (22, 1)
_UNSUPPORTED_VERSION: Final = 35
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of an answer; what says that it has more is no broker."""
_AT_ONCE: Final = 64 * 1024
"""Bytes that are asked for: more than any usual answer has."""

_HEAD: Final = struct.Struct(">ihhi")
_SIZE: Final = struct.Struct(">i")
_SHORT: Final = struct.Struct(">h")
_NO_TRANSACTION: Final = _SHORT.pack(-1)
_WRITE: Final = struct.Struct(">hi")
_BATCH: Final = struct.Struct(">ii")
_WRITTEN: Final = struct.Struct(">ihqqq")
_IDENTITY: Final = struct.Struct(">ihqh")

Request = Mapping[str, Sequence[tuple[int, bytes]]]
"""By topic: partitions, each once, and a batch for each."""
Written = dict[tuple[str, int], int]
"""What came of each partition's batch: Kafka's error code, 0 for none."""


class Refused(Exception):
    """What came is no answer to what was asked, or says no: `code` is Kafka's where it is final."""

    def __init__(self, why: str, code: int = KafkaError.NETWORK_EXCEPTION) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Identity:
    """What a broker knows a producer by, so that it takes nothing twice."""

    producer_id: int
    epoch: int


class Broker:
    """Connects when first asked, and again after each failure.

    `identify` and `write` raise OSError or `Refused` when the broker cannot be asked, or does not
    answer as it should: whether it did what was asked is then unknown.
    """

    def __init__(self, address: tuple[str, int], client_id: str) -> None:
        self.address = address
        """Host and port, of the next connection."""
        self._client_id = _text(client_id)
        self._socket: socket.socket | None = None
        self._connected_to: tuple[str, int] | None = None
        self._used_at = 0.0
        self._asked = 0
        self._closed = False

    def identify(self) -> Identity:
        """For a producer that is new."""
        answer = self._ask(_INIT_PRODUCER_ID, _NO_TRANSACTION + _SIZE.pack(-1))
        with self._understanding():
            _, error, producer_id, epoch = _IDENTITY.unpack_from(answer)
        if error:
            final = error in (KafkaError.CLUSTER_AUTHORIZATION_FAILED, _UNSUPPORTED_VERSION)
            why = f"no producer id: {KafkaError(error).str()}"
            raise Refused(why, error if final else KafkaError.NETWORK_EXCEPTION)
        return Identity(producer_id, epoch)

    def write(self, request: Request) -> tuple[Written, float]:
        """Have batches written to every in-sync copy of their partitions.

        Returns what came of each, and the seconds that the broker wants to be left alone."""
        parts = [_NO_TRANSACTION, _WRITE.pack(-1, int(ANSWER * 1000)), _SIZE.pack(len(request))]
        for topic, batches in request.items():
            parts += (_text(topic), _SIZE.pack(len(batches)))
            for partition, batch in batches:
                parts += (_BATCH.pack(partition, len(batch)), batch)
        answer = self._ask(_PRODUCE, b"".join(parts))
        with self._understanding():
            return _written(answer)

    def close(self) -> None:
        """No more is asked. A thread that waits for an answer meanwhile gets an OSError."""
        self._closed = True
        self._hang_up()

    def _hang_up(self) -> None:
        if (connection := self._socket) is not None:
            self._socket = None
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    @contextlib.contextmanager
    def _understanding(self) -> Iterator[None]:
        try:
            yield
        except (struct.error, UnicodeDecodeError) as error:
            self._hang_up()
            raise Refused("its answer cannot be read") from error

    def _ask(self, what: tuple[int, int], body: bytes) -> bytes:
        """The answer's body."""
        self._asked = (self._asked + 1) & 0x7FFFFFFF
        size = _HEAD.size - _SIZE.size + len(self._client_id) + len(body)
        now = time.monotonic()
        if self._connected_to != self.address or now - self._used_at > IDLE:
            self._hang_up()
        self._used_at = now
        try:
            connection = self._socket or self._connect()
            connection.sendall(_HEAD.pack(size, *what, self._asked) + self._client_id + body)
            answer = _received(connection)
            if answer[:4] != _SIZE.pack(self._asked):
                _refuse("it answers something else")
        except (OSError, Refused):
            self._hang_up()
            raise
        return answer[4:]

    def _connect(self) -> socket.socket:
        address = self.address
        made = socket.create_connection(address, CONNECT)
        try:
            if self._closed:
                raise ConnectionAbortedError("closed meanwhile")  # noqa: TRY301
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
                limit = int(UNREACHABLE * 1000)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit)
            # The kernel's own timeouts, which take no poll before each call.
            made.settimeout(None)
            for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                made.setsockopt(socket.SOL_SOCKET, direction, struct.pack("ll", int(LIFELESS), 0))
        except BaseException:
            made.close()
            raise
        self._socket, self._connected_to = made, address
        return made


def _received(connection: socket.socket) -> bytes:
    """An answer without its length. Nothing comes after it that was not asked for."""
    data = _some(connection, _AT_ONCE)
    while len(data) < _SIZE.size:
        data += _some(connection, _AT_ONCE)
    (size,) = _SIZE.unpack_from(data)
    if not _SIZE.size <= size <= _LARGEST:
        _refuse(f"its answer has {size} bytes, or it does not speak Kafka's protocol")
    parts, missing = [data[_SIZE.size :]], size + _SIZE.size - len(data)
    while missing > 0:
        parts.append(_some(connection, missing))
        missing -= len(parts[-1])
    if missing:
        _refuse("it says more than it was asked for")
    return b"".join(parts)


def _some(connection: socket.socket, size: int) -> bytes:
    data = connection.recv(size)
    if not data:
        raise ConnectionResetError("it hung up")
    return data


def _refuse(why: str) -> NoReturn:
    raise Refused(why)


def _written(answer: bytes) -> tuple[Written, float]:
    written: Written = {}
    (topics,), at = _SIZE.unpack_from(answer), _SIZE.size
    for _ in range(topics):
        (length,) = _SHORT.unpack_from(answer, at)
        at += _SHORT.size
        topic = answer[at : at + length].decode()
        at += length
        (partitions,) = _SIZE.unpack_from(answer, at)
        at += _SIZE.size
        for _ in range(partitions):
            partition, error, *_rest = _WRITTEN.unpack_from(answer, at)
            written[topic, partition] = error
            at += _WRITTEN.size
    (milliseconds,) = _SIZE.unpack_from(answer, at)
    return written, milliseconds / 1000


def _text(text: str) -> bytes:
    data = text.encode()
    return _SHORT.pack(len(data)) + data

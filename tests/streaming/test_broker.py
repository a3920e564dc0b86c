"""A connection to something that may be no broker at all."""

import socket
import struct
import threading

import pytest
from broker_proxy import end, frames, produce_answer, produced
from confluent_kafka import KafkaError

from streaming.broker import IDLE, Broker, Identity, Refused

IDENTITY = struct.pack(">ihqh", 0, 0, 7, 3)
BATCH = {"t": [(0, b"batch")]}


def framed(body):
    return struct.pack(">i", len(body)) + body


class Server:
    """Answers each request with what the next of `answers` makes of it; hangs up at the end."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        end(self._listener)

    def _serve(self):
        while self._answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                for request in frames(connection):
                    for piece in self._answers.pop(0)(request):
                        if piece is None:
                            connection.close()
                            break
                        connection.sendall(piece)
                    if not self._answers or connection.fileno() < 0:
                        break


@pytest.fixture
def asked():
    """`asked(answer, …)`: a broker whose requests are answered so."""
    started = []

    def start(*answers):
        server = Server(*answers)
        broker = Broker(server.address, "test")
        broker.server = server
        started.append((server, broker))
        return broker

    yield start
    for server, broker in started:
        broker.close()
        server.close()


def identity(request):
    return [framed(request[8:12] + IDENTITY)]


def test_a_producer_is_given_an_identity(asked):
    assert asked(identity).identify() == Identity(7, 3)


def test_an_answer_may_come_byte_by_byte(asked):
    def trickled(request):
        return [bytes([byte]) for byte in identity(request)[0]]

    assert asked(trickled).identify() == Identity(7, 3)


def test_what_came_of_each_batch_is_told(asked):
    def answer(request):
        assert produced(request) == [("t", 0), ("t", 4), ("u", 1)]
        return [produce_answer(request[8:12], {("t", 0): 0, ("t", 4): 6, ("u", 1): 10}, 250)]

    written, rest = asked(answer).write({"t": [(0, b"a"), (4, b"b")], "u": [(1, b"c")]})
    assert written == {("t", 0): 0, ("t", 4): 6, ("u", 1): 10}
    assert rest == 0.25


@pytest.mark.parametrize(
    ("code", "said", "final"),
    [
        (31, "Cluster authorization failed", True),
        (14, "in progress", False),
        (-1, "no producer id", False),
    ],
)
def test_a_refused_identity_says_why_and_whether_for_good(asked, code, said, final):
    def refusal(request):
        return [framed(request[8:12] + struct.pack(">ihqh", 0, code, -1, -1))]

    with pytest.raises(Refused, match=said) as refused:
        asked(refusal).identify()
    assert refused.value.code == (code if final else KafkaError.NETWORK_EXCEPTION)


NO_ANSWERS = {
    "nothing": lambda request: [None],
    "half a length": lambda request: [b"\0\0", None],
    "half an answer": lambda request: [identity(request)[0][:-3], None],
    "another's answer": lambda request: [framed(b"\x00\x00\xff\xff" + IDENTITY)],
    "a web page": lambda request: [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    "no length": lambda request: [struct.pack(">i", 0)],
    "a negative length": lambda request: [struct.pack(">i", -1)],
    "two answers": lambda request: [identity(request)[0] * 2],
    "too short a one": lambda request: [framed(request[8:12] + b"\0")],
    "an endless list": lambda request: [framed(request[8:12] + b"\x7f\xff\xff\xff")],
    "a name that is none": lambda request: [
        framed(request[8:12] + struct.pack(">ih", 1, 2) + b"\xff\xfe" + bytes(40))
    ],
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_is_an_error_and_the_next_request_connects_again(asked, answer):
    def right(request):
        return [produce_answer(request[8:12], {("t", 0): 0})]

    broker = asked(answer, right)
    with pytest.raises((OSError, Refused)):
        broker.write(BATCH)
    assert broker.write(BATCH) == ({("t", 0): 0}, 0.0)
    assert broker.server.connections == 2


def test_one_connection_serves_many_requests(asked):
    broker = asked(*[identity] * 5)
    for _ in range(5):
        broker.identify()
    assert broker.server.connections == 1


def test_a_broker_that_is_said_to_be_elsewhere_is_asked_there(asked):
    here, there = asked(identity, identity), asked(identity)
    here.identify()
    here.address = there.address
    here.identify()
    assert (here.server.connections, there.server.connections) == (1, 1)


def test_a_connection_that_was_idle_for_long_is_not_used_again(asked):
    broker = asked(identity, identity)
    broker.identify()
    broker._used_at -= IDLE + 1
    broker.identify()
    assert broker.server.connections == 2


def test_a_closed_one_does_not_connect_again(asked):
    broker = asked(identity)
    broker.close()
    with pytest.raises(ConnectionAbortedError):
        broker.identify()


def test_a_broker_that_is_not_there_is_an_error(unused_tcp_port):
    with pytest.raises(ConnectionRefusedError):
        Broker(("127.0.0.1", unused_tcp_port), "test").write(BATCH)


def test_closing_ends_a_wait_for_an_answer(asked):
    waits = threading.Event()

    def silence(request):
        waits.set()
        return []

    broker, errors = asked(silence, silence), []

    def ask():
        try:
            broker.identify()
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert waits.wait(10)
    broker.close()
    thread.join(10)
    assert len(errors) == 1

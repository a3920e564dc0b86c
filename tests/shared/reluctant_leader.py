"""A broker that refuses the first records of a topic, as one that does not lead yet."""

import select
import struct
import threading

from broker_proxy import PASS, PRODUCE, BrokerProxy, kind_of

_NOT_LEADER = 6


class ReluctantLeader(BrokerProxy):
    """The first records for partition 0 of `topic` are refused: when more of them have come, or
    after `patience` seconds. What comes later is passed on. Of Kafka's protocol as of produce
    version 9.
    """

    def __init__(self, broker, topic, patience=0.5):
        self._topic = _compact(topic.encode())
        self._patience = patience
        self.refusing = threading.Event()
        """The first records have come."""
        super().__init__(broker)

    def meddle(self, request, client):
        first = kind_of(request) == PRODUCE and self._topic in request
        if not first or self.refusing.is_set():
            return PASS
        self.refusing.set()
        select.select([client], [], [], self._patience)
        return self._refusal(request)

    def _refusal(self, request):
        correlation = request[8:12]
        partition = struct.pack(">ihqqq", 0, _NOT_LEADER, -1, -1, -1) + b"\x01\x00\x00"
        answer = correlation + b"\x00\x02" + self._topic + b"\x02" + partition + b"\x00"
        answer += struct.pack(">i", 0) + b"\x00"
        return struct.pack(">i", len(answer)) + answer


def _compact(text):
    assert len(text) < 127
    return bytes([len(text) + 1]) + text

"""What a member that was killed leaves behind: the holes in its last commit."""

import json
import subprocess
import sys

import pytest

from streaming.offsets import decode_holes

MEMBER = """
import json, sys
from streaming.consumer import ConsumerLoop
from streaming.settings import load

settings = load(**json.loads(sys.argv[1]))
loop = ConsumerLoop(settings, settings.topic_prefix + "group", [settings.topic_prefix + "calls"])


class EverySecondOneHangs:
    def assigned(self, partitions): ...
    def revoked(self, trackers): ...
    def closed(self): return ()
    def has_room(self): return True
    def turn(self): ...
    def settled(self): return True
    def take(self, batch):
        for tracker, message in batch:
            if message.offset() % 2:
                loop.complete([(tracker, message.offset(), message.offset() + 1)])


loop.run(EverySecondOneHangs())
"""


@pytest.fixture
def lasting_membership(settings):
    """Settings with a name for the member, so that its successor need not wait for its session."""
    return settings.model_copy(update={"kafka": settings.kafka | {"group.instance.id": "one"}})


@pytest.fixture
def killed(lasting_membership, committed):
    """`killed(until)`: a member that was killed as soon as that was committed."""

    def run(until):
        given = lasting_membership.model_dump(include={"kafka", "topic_prefix", "commit_interval"})
        process = subprocess.Popen([sys.executable, "-c", MEMBER, json.dumps(given)])
        try:
            while not until(committed(0)):
                assert process.poll() is None
        finally:
            process.kill()
            process.wait()

    return run


def test_what_was_committed_as_done_is_not_done_again_after_a_crash(
    killed, running, lasting_membership, topics, write
):
    write(topics.calls, *((b"k", b"%d" % n) for n in range(10)), partition=0)
    expected = [(n, n + 1) for n in range(1, 10, 2)]
    killed(lambda position: decode_holes(position[1], position[0]) == expected)
    successor = running(lasting_membership)
    successor.stage.until_taken(5)
    assert [offset for _, offset, _ in successor.stage.taken] == [0, 2, 4, 6, 8]

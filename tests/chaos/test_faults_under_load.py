"""Kafka, the stages and the customer's server broken in every way while calls keep coming.

After each fault: nothing is lost, nothing is sent that was not asked for, every request keeps its
id, and what is repeated is no more than was in hand. No stage is started again unless the fault is
that it was killed. The short form runs with the other tests; `make chaos` runs the long one.
"""

import random
import time

import pytest
from line import eventually
from ordeal import COMMIT_INTERVAL, GivenUp, Ordeal
from world import LONG, frozen

pytestmark = pytest.mark.timeout(600)
in_the_long_form_only = pytest.mark.parametrize(
    "world", [pytest.param(LONG, marks=pytest.mark.chaos)], indirect=True, ids=str
)


def about_to_vanish(world, stage):
    """What a stage has in hand that can soon not say so itself."""
    in_flight, now = int(world.line.metric(stage, "pca_requests_in_flight")), time.time()
    return GivenUp(stage.name, now, in_flight, committed=now - COMMIT_INTERVAL)


def crash(world, stage):
    """SIGKILL, and what was in hand."""
    crashed = about_to_vanish(world, stage)
    stage.kill()
    return crashed


@pytest.fixture
def endured(world, judged):
    """`endured(title, fault)`: the same processes before and after, and the audit."""

    def endure(title, fault, allowed=Ordeal.after, restore=lambda: None):
        before = world.pids()
        ordeal = world.under(fault, restore)
        judged(title, ordeal, allowed(ordeal))
        assert world.pids() == before, "recovered without a restart"
        return ordeal

    return endure


def test_kafka_cut_off(world, endured):
    def fault():
        with world.kafka.down():
            time.sleep(world.size.outage)

    endured("Kafka cut off", fault, Ordeal.after_an_outage)


@in_the_long_form_only
def test_kafka_silent(world, endured):
    """Connections stand and nothing passes: no one is told that Kafka is away."""

    def fault():
        with (
            world.kafka.toxic("timeout", timeout=0),
            world.kafka.toxic("timeout", timeout=0, stream="upstream"),
        ):
            time.sleep(world.size.outage)

    endured("Kafka silent", fault, Ordeal.after_an_outage)


@in_the_long_form_only
def test_kafka_killed_and_started(world, endured):
    def fault():
        world.broker.kill()
        time.sleep(world.size.outage)

    endured("Kafka killed and started", fault, Ordeal.after_an_outage, world.broker.start)


def test_kafka_far_away(world, endured):
    def fault():
        with world.kafka.toxic("latency", latency=300, jitter=200):
            time.sleep(world.size.trouble)

    endured("Kafka 300 ± 200 ms away", fault)


@in_the_long_form_only
def test_kafka_behind_a_thin_line(world, endured):
    def fault():
        with (
            world.kafka.toxic("bandwidth", rate=100),
            world.kafka.toxic("bandwidth", rate=100, stream="upstream"),
        ):
            time.sleep(world.size.trouble)

    endured("Kafka at 100 kB/s", fault)


def test_connections_to_kafka_reset_again_and_again(world, endured):
    dice = random.Random(7)

    def fault():
        until = time.monotonic() + world.size.trouble
        while time.monotonic() < until:
            with world.kafka.toxic("reset_peer", timeout=0):
                time.sleep(0.1)
            time.sleep(dice.uniform(0.1, 0.5))

    endured("connections to Kafka reset", fault)


@in_the_long_form_only
def test_connections_to_kafka_cut_in_the_middle_of_an_answer(world, endured):
    def fault():
        with world.kafka.toxic("limit_data", bytes=20_000):
            time.sleep(world.size.trouble)

    endured("connections to Kafka cut after 20 kB", fault)


@in_the_long_form_only
@pytest.mark.parametrize("module", ["dispatcher", "router"])
def test_a_stage_frozen_past_its_session_and_woken(world, endured, module):
    freeze(world, endured, f"a {module} frozen", world.stages(module)[0])


def test_a_router_and_a_dispatcher_frozen_past_their_sessions_and_woken(world, endured):
    stages = [world.stages(module)[0] for module in ("router", "dispatcher")]
    freeze(world, endured, "a router and a dispatcher frozen", *stages)


def freeze(world, endured, title, *stages):
    """Others take over; what the frozen ones had begun changes nothing when they are woken."""
    hands = []

    def fault():
        hands.extend(about_to_vanish(world, stage) for stage in stages)
        with frozen(*stages):
            time.sleep(world.size.frozen)

    ordeal = endured(title, fault, lambda ordeal: ordeal.after(*hands))
    lost = {one.stage for one in ordeal.given_up if not one.asked}
    assert lost >= {stage.name for stage in stages}, "they learned that others had taken over"


def test_the_disk_of_kafka_full(world, endured):
    def fault():
        world.disk.fill(world.broker.status().pid)
        eventually(lambda: not world.broker.status().running, 60)
        world.disk.make_room()

    endured("the disk of Kafka full", fault, Ordeal.after_an_outage, world.broker.start)


def test_bad_lines_to_kafka_and_to_the_customer_at_once(world, endured):
    opened = world.endpoint.accepted()

    def fault():
        with (
            world.kafka.toxic("latency", latency=100, jitter=80),
            world.endpoint.toxic("limit_data", bytes=100),
            world.endpoint.toxic("latency", latency=200, jitter=150),
            world.endpoint.toxic("slicer", average_size=30, size_variation=10, delay=1000),
            world.endpoint.toxic("slow_close", delay=500),
            world.endpoint.toxic("timeout", timeout=200, stream="upstream", toxicity=0.2),
        ):
            time.sleep(world.size.trouble)

    # Besides retries: a request on a kept connection that is closed without a word is sent again at
    # once, over a new connection.
    endured(
        "bad lines to Kafka and customer",
        fault,
        lambda ordeal: ordeal.after() + world.endpoint.accepted() - opened,
    )


def test_stages_killed_at_once(world, judged):
    victims = [world.stages("router")[0], *world.stages("dispatcher")]
    crashes = []

    def fault():
        crashes.extend(crash(world, stage) for stage in victims)
        for stage in victims:
            stage.start()

    ordeal = world.under(fault)
    judged("a router and both dispatchers killed", ordeal, ordeal.after(*crashes))


@in_the_long_form_only
def test_stages_killed_one_after_another(world, judged):
    dice, crashes = random.Random(world.size.rate), []

    def fault():
        for number in range(world.size.kills):
            stage = dice.choice(world.stages(("router", "dispatcher")[number % 2]))
            crashes.append(crash(world, stage))
            stage.start()
            time.sleep(world.size.session + 1)

    ordeal = world.under(fault)
    judged(f"{world.size.kills} stages killed in turn", ordeal, ordeal.after(*crashes))

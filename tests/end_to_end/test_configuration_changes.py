"""A saved change takes effect for calls produced one second later, whoever routes them."""

import itertools
import time

import pytest
from line import eventually

from streaming.partitions import partition_of


@pytest.fixture
def witness(line):
    """An account in acme's partition: its call is routed after acme's, by the same router."""
    count = line.settings.calls_partitions
    home = partition_of("acme", count)
    return next(
        id_ for id_ in map("witness-{}".format, range(99)) if partition_of(id_, count) == home
    )


@pytest.fixture
def sends(line, receiver, witness):
    """What runs for a call produced one second from now: the action ids."""
    numbers = itertools.count()

    def send(**fields):
        sid = f"call-{next(numbers)}"
        time.sleep(1.0)  # the promise: a second after the change was saved
        line.send(line.call(sid=sid, **fields))
        line.send(line.call(witness, sid=f"after {sid}"), account=witness)
        # Once the witness's request is here, acme's dispatches are written, and once there are as
        # many requests as dispatches, they are here too.
        eventually(lambda: f"after {sid}" in sids(receiver))
        eventually(lambda: len(receiver.arrivals) >= line.count(line.topics.dispatch))
        return sorted({a.path.strip("/") for a in receiver.arrivals if dict(a.query)["sid"] == sid})

    return send


def sids(receiver):
    return {dict(arrival.query)["sid"] for arrival in receiver.arrivals}


def saved(answer):
    assert answer.status_code in (200, 201, 204), answer.text
    return answer.json() if answer.content else None


def test_every_kind_of_change_takes_effect_with_two_routers_and_through_a_rebalance(
    line, console, sends, action, witness
):
    line.configure({"id": witness, "name": "Witness", "actions": [action(witness)]})
    saved(console.put("acme", json={"name": "Acme"}))
    body = {key: value for key, value in action("crm").items() if key != "id"}
    crm = saved(console.post("acme/actions", json=body))
    line.start("router", 2)
    line.start("dispatcher")
    url = f"acme/actions/{crm['id']}"

    def change(**fields):
        crm["version"] = saved(
            console.put(url, json=body | fields, headers={"If-Match": str(crm["version"])})
        )["version"]

    assert sends() == ["crm"]

    change(active=False)
    assert sends() == []

    change(active=True)
    first, *_ = (stage for stage in line.stages if stage.module == "router")
    first.kill()  # the other takes its partitions over, and must know the newest configuration
    assert sends() == ["crm"]

    change(active=True, target_url=body["target_url"].replace("/crm", "/crm-2"))
    first.start()
    first.await_ready()
    assert sends() == ["crm-2"]

    saved(console.put("acme/numbers/+18005550100", json={"send": "none"}))
    assert sends() == []

    saved(console.delete("acme/numbers/+18005550100"))
    assert sends() == ["crm-2"]

    saved(console.delete(url))
    assert sends() == []

    saved(console.post("acme/actions", json=body))
    assert sends() == ["crm"]

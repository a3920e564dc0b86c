"""The Go router does the work that ours does: the same dispatches of the same calls."""

from collections import Counter

from building import BUILDS
from line import eventually

from bench.render import TWELVE, call
from router import calls
from router.configuration import Configuration
from router.dispatches import dispatches
from router.parts import routing_part
from streaming.partitions import partition_of

pytestmark = BUILDS

ACME = {
    "id": "acme",
    "name": "Acme",
    "reverse_lookup_enabled": True,
    "actions": [
        {"id": "wide", "name": "a", "scope": "all_calls", "target_url": "http://a.example/",
         "parameters": [{"name": p, "placeholder": p} for p in TWELVE]},
        {"id": "named", "name": "b", "scope": "configured_numbers_only",
         "target_url": "http://b.example/"},
        {"id": "off", "name": "c", "scope": "all_calls", "active": False,
         "target_url": "http://c.example/"},
        {"id": "again", "name": "d", "scope": "all_calls", "revisions": True,
         "target_url": "http://d.example/"},
        {"id": "long", "name": "e", "scope": "all_calls", "target_url": "http://e.example/",
         "conditions": {"minimum_talk_seconds": 90, "call_types": ["INBOUND"],
                        "qualified": "both", "pool_ids": ["p-9"], "tags": ["gold"]}},
    ],
    "numbers": {
        "+18005550100": {"send": "account_wide", "label": "Yellow pages"},
        "+18005550101": {"send": "specific", "action_id": "named", "label": "Größe"},
        "+18005550102": {"send": "none"},
        "+18005550103": {"send": "specific", "action_id": "gone"},
    },
    "pools": {"p-9": {"send": "inherit"}, "p-8": {"send": "specific", "action_id": "again"}},
    "ad_groups": {"g-1": {"send": "none"}, "g-2": {"send": "inherit"}},
}  # fmt: skip
OTHERS = [{"id": f"other-{n}", "name": "Other", "actions": [ACME["actions"][0]]} for n in range(5)]


def _calls():
    """A hundred, of all kinds."""
    for n in range(100):
        one = call(n)
        if n % 4 == 3:
            one["account_id"] = f"other-{n % 5}"
        one["called_e164"] = f"+1800555010{n % 6}" if n % 6 < 5 else ""
        one["pool_id"] = ("p-9", "p-8", "", "unknown")[n % 7 % 4]
        one["ad_group_id"] = ("", "g-1", "g-2", "", "")[n % 5]
        one["revision"] = int(n % 9 == 0)
        yield one


def test_calls_become_our_dispatches(line, codec, go, start, lag):
    line.configure(ACME, *OTHERS)
    written = [(one, codec.encode("CallCompleted", one, "")) for one in _calls()]
    line.write((line.topics.calls, one["account_id"], value, -1) for one, value in written)
    unrouted = {b"garbage": "unknown_schema", written[0][1][:-1]: "malformed"}
    unrouted[codec.encode("CallCompleted", call(1) | {"account_id": "nobody"}, "")] = (
        "unknown_account"
    )
    line.write((line.topics.calls, "acme", value, -1) for value in unrouted)

    configuration = Configuration(codec, line.settings.calls_partitions)
    for message in line.read(line.topics.config, line.count(line.topics.config)):
        configuration.apply(message.partition(), message.key(), message.value())
    router = start([go, "router"])
    kept = {m.value(): dict(m.headers()) for m in line.read(line.topics.unrouted, len(unrouted))}
    assert {value: headers["reason"].decode() for value, headers in kept.items()} == unrouted

    expected = list(_ours(codec, line, configuration, written))
    ran = {f"acme/{id_}" for id_ in ("wide", "named", "again", "long")}
    assert {key for key, _, _ in expected} == ran | {f"{one['id']}/wide" for one in OTHERS}
    found = line.read(line.topics.dispatch, len(expected))
    routed_at = {
        (m.key().decode(), d["sid"]): d["routed_at"]
        for m in found
        for d in [codec.decode(m.value(), "Dispatch")]
    }
    same = Counter(
        (key, partition_of(key, line.settings.dispatch_partitions), make(routed_at[key, sid]))
        for key, sid, make in expected
    )
    assert Counter((m.key().decode(), m.partition(), m.value()) for m in found) == same

    router.terminate()
    assert router.wait(10) == 0
    assert lag("pca-router", line.topics.calls) == 0


def _ours(codec, line, configuration, written):
    """Key, sid, and the Dispatch for a time, of what our router makes of the calls."""
    header = codec.header("Dispatch", "")
    for one, value in written:
        partition = partition_of(one["account_id"], line.settings.calls_partitions)
        account = configuration.account(partition, one["account_id"])
        read = calls.read(codec, value)
        number = account.number(read.called_e164)
        keys = [key for key, _ in dispatches(read, account, number, routing_part(0))[1]]
        for place, key in enumerate(keys):

            def make(at, read=read, account=account, number=number, place=place):
                return dispatches(read, account, number, routing_part(at), header)[1][place][1]

            yield key, one["sid"], make


def test_configuration_is_followed(line, codec, go, start):
    line.configure(ACME)
    line.send(line.call(sid="before"))
    start([go, "router"])
    assert len(line.read(line.topics.dispatch, 2)) == 2  # wide and again
    number = {"send": "specific", "action_id": "named"}
    line.configure(ACME | {"numbers": {"+18005550100": number}})

    def routed():
        line.send(line.call(sid="after"))
        found = line.read(line.topics.dispatch, line.count(line.topics.dispatch))
        return any(m.key() == b"acme/named" for m in found)

    eventually(routed, every=0.2)

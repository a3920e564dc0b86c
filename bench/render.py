"""What it costs to make a request of a dispatch, beside `urllib.parse.urlencode`.

    python -m bench.render [--rounds 9] [--calls 500] [--quick]

Two actions: one with 12 parameters, one with everything (all 36 call details, the 22 parameters of
SourceTrak, the 24 of LeadFlow and CAKE's pair); each as GET and as POST. Every call is another one:
other times, numbers, names and labels. The first action also signs, with one secret. The rounds of
all rows alternate, so that a busy machine disturbs all alike; `urlencode` gets the same pairs,
ready made, and so has less to do.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from bench.command import parser, rounds_of, run
from bench.part import Part
from bench.report import Claim, Result, Table
from bench.stats import ranged, ratios
from bench.testbed import Testbed
from dispatcher.render import Request, compile_action
from router.ids import dispatch_id
from schemas.codec import decode_body
from schemas.placeholders import PLACEHOLDERS
from schemas.released import Record, current

TWELVE = (
    "date_time", "sid", "call_type", "called_number", "caller_id", "talk_minutes", "call_duration",
    "last_action", "phone_label", "transferred_to_number", "lookup_last_name", "recording_duration",
)  # fmt: skip
EVERYTHING = tuple(id_ for id_ in PLACEHOLDERS if id_ != "date_time_iso")
TARGET_URL = "https://example.com/sub-folder/handler.php?client_id=1234"
NOW = 1_782_914_700_000_000
SIGNED = {
    "": [],
    ", signed": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    ", Ed25519": ["whsk_" + "A" * 43 + "="],
}
LIMITS = {"12 parameters": 12.0, "all blocks": 40.0}
"""Microseconds a request."""
ROUNDS, CALLS, QUICK_CALLS = 9, 500, 50
"""Rounds at least: one takes a fraction of a second."""
URLENCODE = "urlencode"

Costs = Mapping[str, Sequence[float]]
"""By `kind, method, how it is signed`: microseconds a request, one a round."""


def call(n: int) -> Record:
    """The n-th call, every block filled."""
    number, names = f"312555{n % 10_000:04d}", ("Ray", "O'Neil", "Müller", "de la Cruz", "Łukasz")
    start = 1_782_914_602_000_000 + n * 7_654_321_000
    return {
        "account_id": "acme", "sid": f"4f1c0f6e-{n:04x}-4c2a-9a3e-0c5f3a1d7b42",
        "started_at": start, "call_type": "inbound",
        "called_number": f"+1800{n:07d}", "called_e164": f"+1800{n:07d}",
        "pool_id": "p-9", "caller_id": f"+1{number}", "caller_e164": f"+1{number}",
        "phone_label": f"Yellow pages {n}", "first_action": "Virtual Receptionist",
        "last_action": "Find Me", "all_actions": ["Virtual Receptionist", "Find Me"],
        "intelligent_seconds": 34 + n % 60, "talk_seconds": 61 + n, "enhanced_seconds": 61 + n,
        "recording_seconds": 61 + n, "transfer_type": "Virtual Receptionist",
        "transferred_to_number": "+13125550188", "transferred_to_e164": "+13125550188",
        "call_transfer_status": "ANSWER",
        "lookup": {"last_name": names[n % 5], "first_name": "Ada", "street_address": f"{n} Elm St",
                   "city": "Elgin", "state": "IL", "zip_code": "60120"},
        "distributor": {"name": "Sales", "id": "77", "call_type": "Inbound", "agent_id": "5",
                        "agent_name": "Lee", "queue_hold_seconds": 12,
                        "time_to_answer_seconds": n % 90},
        "sourcetrak": {
            "pool_type": "ppc", "pool_name": "Spring", "rank": 1 + n % 5,
            "search_term": f"roof repair {n}", "referer": "google.com",
            "baseuri": f"https://example.com/lp?page={n}", "activity_keyword": "ppc",
            "displayed_at": start - 400_000_000, "ip_address": f"203.0.113.{n % 256}",
            "document_title": "Roofs & more", "browser": "Firefox", "os": "Linux",
            "pid": f"st-{n}", "domain_set_id": "3", "gclid": f"Cj0K{n:08x}",
            "google_ua_client_id": f"123456.{n:07d}", "sourceguard": False, "campaign": "spring",
            "platform": "adwords", "url_tag": "utm_x"},
        "leadflow": {
            "set_name": "Roofers", "id": "lf-2", "destination_name": "North", "source_name": "Web",
            "destination_number": "+13125550188", "destination_e164": "+13125550188",
            "source_number": f"+1800{n:07d}", "source_e164": f"+1800{n:07d}", "tag": "gold",
            "source_qualified": True, "destination_qualified": True, "rerouted": False,
            "repeat_source_caller": False, "source_price_per_call": "12.50",
            "cake": {"affiliate_id": 41, "offer_id": n}},
    }  # fmt: skip


def dispatch(n: int, action: Record) -> Record:
    """The n-th call for an action, as the dispatcher reads it from Kafka."""
    one = call(n)
    record = {
        "dispatch_id": dispatch_id("acme", one["sid"], 0, "crm"), "account_id": "acme",
        "action_id": "crm", "sid": one["sid"], "config_version": 1, "action_version": 1,
        "routed_at": 0, "reverse_lookup_enabled": True, "sourcetrak_enabled": True,
        "leadflow_enabled": True, "call": one, "action": action,
    }  # fmt: skip
    return decoded("Dispatch", record)


def decoded(name: str, record: dict[str, Any]) -> Record:
    """A record as it comes out of its bytes."""
    return decode_body(current(name).encode(record), 0, current(name))


def action(parameters: tuple[str, ...], method: str, blocks: bool) -> Record:
    """An Action record."""
    named = [{"name": f"p_{id_}", "placeholder": id_} for id_ in parameters]
    record = {
        "action_id": "crm", "version": 1, "name": "CRM", "active": True, "scope": "all_calls",
        "option": "call_detail", "target_url": TARGET_URL, "method": method, "parameters": named,
        "include_sourcetrak": blocks, "include_leadflow": blocks,
    }  # fmt: skip
    return decoded("Action", record)


def pairs(request: Request) -> list[tuple[str, str]]:
    """What a request carries besides its static parameter."""
    text = request.body.decode() if request.body else urlsplit(request.url).query.partition("&")[2]
    return parse_qsl(text, keep_blank_values=True)


@dataclass(slots=True)
class Row:
    """One measurement: what is called with each item, and the microseconds a call cost."""

    name: str
    function: Callable[[Any], object]
    items: list[Any]
    costs: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Once through all items."""
        function, items = self.function, self.items
        started = time.perf_counter_ns()
        for item in items:
            function(item)
        self.costs.append((time.perf_counter_ns() - started) / 1000 / len(items))


def _at_now(make: Callable[[Record, int], Request], one: Record) -> Request:
    return make(one, NOW)


def rows(calls: int) -> list[Row]:
    """All measurements; of each kind of action GET, POST and `urlencode`."""
    made = []
    for name, parameters, blocks in (
        ("12 parameters", TWELVE, False),
        ("all blocks", EVERYTHING, True),
    ):
        for method in ("GET", "POST"):
            one = action(parameters, method, blocks)
            dispatches = [dispatch(n, one) for n in range(calls)]
            for suffix, secrets in SIGNED.items():
                if suffix and blocks:
                    continue
                make = compile_action(one | {"signing_secrets": secrets}).request
                function = partial(_at_now, make)
                made.append(Row(f"{name}, {method}{suffix}", function, dispatches))
        same = [pairs(made[-1].function(d)) for d in dispatches]  # type: ignore[arg-type]
        assert len(same[0]) == (84 if blocks else 12)
        made.append(Row(f"{name}, {URLENCODE}", urlencode, same))
    return made


def measure(testbed: Testbed, *, rounds: int, calls: int = CALLS) -> Result:
    """Every row in every round, in this process."""
    measured = rows(calls)
    gc.disable()
    try:
        with testbed.cores.for_the_stage():
            for _ in range(rounds + 1):
                for row in measured:
                    row.run()
    finally:
        gc.enable()
    # The first round warms caches up.
    costs = {row.name: row.costs[1:] for row in measured}
    return result(
        costs, [f"{calls} dispatches; {rounds} rounds, medians (ranges).", testbed.pinning()]
    )


def result(costs: Costs, notes: list[str]) -> Result:
    """Table and claims from what was measured."""
    table, claims = [], []
    for name, found in costs.items():
        kind, way = name.split(", ", 1)
        beside = ratios(found, costs[f"{kind}, {URLENCODE}"])
        table.append([name, ranged(found), ranged(beside, 2)])
        if way in ("GET", "POST"):
            claims.append(Claim(f"A request of {name}", list(found), LIMITS[kind], unit=" µs"))
    columns = ["", "µs a request", "in times of urlencode"]
    return Result(
        name="render",
        title="Making a request",
        tables=[Table("CPU of rendering", columns, table)],
        claims=claims,
        notes=notes,
        data={name: list(found) for name, found in costs.items()},
    )


PARTS = {
    "render": Part(
        lambda testbed, rounds: measure(testbed, rounds=max(rounds, ROUNDS)),
        lambda testbed: measure(testbed, rounds=1, calls=QUICK_CALLS),
    ),
}


def main() -> None:
    """Measure and print."""
    arguments = parser(__doc__)
    arguments.add_argument("--calls", type=int)
    asked = arguments.parse_args()
    calls = asked.calls or (QUICK_CALLS if asked.quick else CALLS)
    rounds = rounds_of(asked) if asked.quick else max(rounds_of(asked), ROUNDS)
    run(lambda testbed: measure(testbed, rounds=rounds, calls=calls))


if __name__ == "__main__":
    main()

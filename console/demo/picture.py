"""What the demo shows: the line with its counts while it runs, and what came of telling calls."""

from __future__ import annotations

from collections import Counter

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from console.demo.accounts import ACTIONS
from console.demo.receiver import Arrival
from console.demo.scenario import Story
from console.demo.tally import Tally

TELLING = (
    "number on Account-Wide",
    "number on a specific action",
    "number on No Post Call Actions",
    "number on an action not active",
    "pool against its number: pool wins",
    "another account, Account-Wide",
    "ad group, then pool, then number",
    "a call and its correction",
    "account nobody knows",
)


def picture(tally: Tally) -> RenderableType:
    """The line, and the requests of each action."""
    return Group(_line(tally), "", _actions(tally), Text(_latency(tally), style="bold"))


def plain(tally: Tally) -> str:
    """The same as one line."""
    expected = sum(one.times for story in tally.stories for one in story.expected)
    return (
        f"{tally.made} of {tally.calls} calls made, {len(tally.arrivals)} of {expected} requests"
        f" arrived; {_latency(tally) or 'nothing yet'}"
    )


def _latency(tally: Tally) -> str:
    latency = tally.latency()
    return f"from call to request: {latency}" if latency else ""


def _line(tally: Tally) -> Table:
    count = tally.metrics
    grid = Table.grid(padding=(0, 1))
    stations = (
        ("telephony", f"{tally.made} of {tally.calls}", "calls"),
        ("gateway", str(count["calls_accepted"]), "accepted"),
        (
            "router",
            f"{count['dispatches_routed']} dispatches",
            f"{count['calls_routed']} routed, {count['calls_unrouted']} not",
        ),
        (
            "dispatcher",
            f"{count['attempts/delivered']} delivered",
            f"{count['attempts/retry']} again, {count['attempts/dead']} dead",
        ),
        ("customers", str(len(tally.arrivals)), "requests"),
    )
    columns: list[list[Text]] = []
    for number, (name, figure, what) in enumerate(stations):
        if number:
            columns.append([Text("──▶"), Text(), Text()])
        columns.append([Text(name, style="bold cyan"), Text(figure, style="bold"), Text(what)])
    for _ in columns:
        grid.add_column(justify="center")
    for row in range(3):
        grid.add_row(*(column[row] for column in columns))
    return grid


def _actions(tally: Tally) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("account", "action", "method", "runs for"):
        table.add_column(heading, no_wrap=True)
    for heading in ("expected", "arrived", "got 500"):
        table.add_column(heading, justify="right", no_wrap=True)
    expected: Counter[str] = Counter()
    for story in tally.stories:
        for one in story.expected:
            expected[one.action] += one.times
    paths = Counter(arrival.path for arrival in tally.arrivals)
    refused = Counter(arrival.path for arrival in tally.arrivals if arrival.status >= 500)
    for action in ACTIONS.values():
        scope = "all calls" if action.scope == "all_calls" else "numbers naming it"
        if action.more.get("active") is False:
            scope = "no call: inactive"
        table.add_row(
            action.account,
            action.id,
            action.method,
            scope,
            str(expected[action.id]),
            str(paths[action.path]),
            str(refused[action.path] or ""),
        )
    return table


def came_of(tally: Tally) -> Table:
    """Call → actions → requests with their values, and why an action did not run."""
    table = Table(
        box=box.SIMPLE,
        show_lines=True,
        title="What came of some of the calls",
        title_justify="left",
    )
    table.add_column("call", ratio=1)
    table.add_column("requests that arrived, and actions that did not run", ratio=3)
    arrived: dict[str, list[Arrival]] = {}
    for arrival in tally.arrivals:
        arrived.setdefault(arrival.webhook_id, []).append(arrival)
    for kind in TELLING:
        story = next(story for story in tally.stories if story.kind == kind)
        call = story.calls[0]
        text = Text(kind, style="bold")
        text.append(f"\n{call['sid']}, {call['call_type']}", style="not bold")
        if number := call.get("called_number"):
            text.append(f"\nto {number}", style="not bold")
        table.add_row(text, _outcome(story, arrived))
    return table


def _outcome(story: Story, arrived: dict[str, list[Arrival]]) -> Text:
    text = Text()
    for one in story.expected:
        for arrival in arrived.get(one.webhook_id, []):
            text.append(f"{one.action} ", style="bold green")
            again = "" if arrival.status < 500 else f"   answered {arrival.status}, so sent again"
            text.append(f"{arrival.method} {arrival.path}{again}\n")
            for name, value in arrival.query + arrival.body:
                text.append(f"  {name}", style="cyan")
                text.append("=")
                text.append(value)
            text.append("\n")
    reasons: dict[str, list[str]] = {}
    for action, why in story.not_run:
        reasons.setdefault(why, []).append(action)
    for why, actions in reasons.items():
        if actions == ["nothing"]:
            text.append(f"nothing runs: {why}\n")
            continue
        text.append(", ".join(actions), style="bold yellow")
        text.append(f" does not run: {why}\n" if len(actions) == 1 else f" do not run: {why}\n")
    text.rstrip()
    return text

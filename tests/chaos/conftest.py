"""The world that is broken, and the table of what it bore."""

import pytest
import toxiproxy
from world import LONG, SHORT, World

HEADINGS = ("fault", "calls", "lost", "duplicates (allowed)", "first", "all", "slowest")


@pytest.fixture(scope="session")
def toxiproxy_can_run(missing):
    if not toxiproxy.obtainable():
        missing("Go, which builds Toxiproxy, is not installed")


@pytest.fixture(
    scope="module", params=[SHORT, pytest.param(LONG, marks=pytest.mark.chaos)], ids=str
)
def world(request, kafka_can_run, toxiproxy_can_run, tmp_path_factory):
    world = World(request.param, tmp_path_factory.mktemp("world"))
    yield world
    world.close()


@pytest.fixture
def judged(record_property):
    """`judged(title, ordeal, allowed)`: the claims that hold after every fault, and a row."""

    def judge(title, ordeal, allowed):
        verdict = ordeal.verdict
        record_property(
            "chaos",
            (
                title,
                f"{ordeal.calls:,}",
                f"{len(verdict.missing) + ordeal.dead}",
                f"{verdict.duplicates:,} ({allowed:,})",
                f"{verdict.first:.2f} s",
                f"{verdict.all:.2f} s",
                f"{verdict.slowest:.2f} s",
            ),
        )
        assert verdict.missing == set()
        assert verdict.unexpected == set()
        assert ordeal.dead == 0
        assert verdict.ids_per_pair == 1
        assert verdict.duplicates <= allowed

    return judge


def pytest_terminal_summary(terminalreporter):
    """The table, whatever became of the tests."""
    rows = [
        tuple(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in report.user_properties
        if name == "chaos"
    ]
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    terminalreporter.section("chaos: a call is three requests; recovery after the fault's end")
    for row in (HEADINGS, *sorted(rows)):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        terminalreporter.write_line("  ".join(cells))

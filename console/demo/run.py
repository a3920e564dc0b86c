"""The demo itself: everything real, in a temporary folder; exit code 0 only when all is right."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live

from console.demo.accounts import ACTIONS, UNEASY, Pairs, configured_things, document
from console.demo.picture import came_of, picture, plain
from console.demo.receiver import Receiver
from console.demo.scenario import Story, is_uneasy, stories
from console.demo.tally import Tally
from console.demo.verdict import Verdict, complete, judge
from console.interruption import Interrupted, interruptible
from console.supervisor import StageFailed, StageProcess, Supervisor, line
from deploy.errors import DeployError
from deploy.kafka.broker import LocalKafka

CALLS = 300
BATCH = 3
"""Calls in one POST."""
PACE = 0.04
"""Seconds from one POST to the next."""
ARRIVAL_SECONDS = 60.0
QUIET_SECONDS = 2.0
"""How long to wait for requests that should not be."""
_SHOWN_FAULTS = 10


class DemoFailed(RuntimeError):
    """Something other than a wrong request went wrong. For people."""


def demo(console: Console) -> int:
    """Run the demo and tell about it; the exit code: 0 right, 1 wrong, 130 interrupted."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="pca-demo-"))
    keep = True
    try:
        with interruptible():
            keep = not _Demo(console, folder).run()
    except Interrupted:
        keep = False
        console.print("Interrupted; everything that was started is stopped.")
        return 130
    except (DeployError, StageFailed, DemoFailed) as error:
        console.print(f"FAILED: {error}", markup=False, style="bold red", highlight=False)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if keep:
        console.print(
            f"Logs, if any, are kept in {folder / 'logs'}", soft_wrap=True, highlight=False
        )
        return 1
    console.print(f"It took {time.monotonic() - began:.0f} s, and everything is stopped.")
    return 0


class _Demo:
    """One run."""

    def __init__(self, console: Console, folder: Path) -> None:
        self._console = console
        self._folder = folder
        self._key = secrets.token_urlsafe(16)
        self._stories = stories(CALLS)
        self._expected = [one for story in self._stories for one in story.expected]
        self._told = self._looked = 0.0

    def run(self) -> bool:
        """Whether exactly the expected requests arrived. Raises `DemoFailed` and the like."""
        with ExitStack() as started:
            receiver = started.enter_context(Receiver(_uneasy))
            kafka = LocalKafka(self._folder / "kafka")
            started.callback(kafka.stop)
            with self._saying("Kafka") as report:
                kafka.start(report=report)
            stages = line(self._environment(kafka.bootstrap), self._folder / "logs")
            supervisor = started.enter_context(Supervisor(stages))
            with self._saying("Stages") as report:
                report("starting gateway, router, dispatcher and console")
                supervisor.start()
            client = started.enter_context(
                httpx.Client(
                    trust_env=False, timeout=30, headers={"Authorization": f"Bearer {self._key}"}
                )
            )
            with self._saying("Configuration") as report:
                report(f"{len(ACTIONS)} actions of two accounts, through the console's API")
                self._configure(client, stages, receiver.url)
            tally = Tally(self._stories, receiver.arrivals)
            tally.calls = sum(len(story.calls) for story in self._stories)
            self._say(f"Calls: {tally.calls}, through the gateway's API")
            self._make_calls(client, stages, tally)
            verdict = judge(self._expected, receiver.arrivals)
            self._console.print(came_of(tally))
            self._tell(verdict, tally)
        return verdict.good

    def _environment(self, bootstrap: str) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PCA_")}
        return ours | {
            "PCA_DATA_DIR": str(self._folder),
            "PCA_KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "PCA_REPLICATION_FACTOR": "1",
            "PCA_CALLS_PARTITIONS": "4",
            "PCA_DISPATCH_PARTITIONS": "4",
            "PCA_DISPATCHER_RETRY_SCHEDULE": "1s,2s,5s",
            "PCA_DISPATCHER_ALLOW_NETWORKS": "127.0.0.0/8",
            "PCA_ADMIN_KEY": self._key,
        }

    def _configure(
        self, client: httpx.Client, stages: list[StageProcess], receiver_url: str
    ) -> None:
        """Apply the configuration and wait until the router has all of it."""
        _, router, _, console = stages
        _ask(client, console.url + "/v1/apply", document(receiver_url))
        tally = Tally((), ())
        deadline = time.monotonic() + 30
        while tally.metrics["config_records"] < configured_things():
            if time.monotonic() > deadline:
                raise DemoFailed(
                    f"the router knows {tally.metrics['config_records']} of"
                    f" {configured_things()} configuration records after 30 s"
                )
            time.sleep(0.05)
            tally.read(router.metrics())

    def _make_calls(self, client: httpx.Client, stages: list[StageProcess], tally: Tally) -> None:
        """Post the calls, and wait until nothing more comes."""
        gateway = stages[0]
        with ExitStack() as stack:
            show: Callable[[], None]
            if self._console.is_terminal:
                live = stack.enter_context(Live(console=self._console, auto_refresh=False))

                def show() -> None:
                    live.update(picture(tally), refresh=True)
            else:

                def show() -> None:
                    self._say(plain(tally))

            pace = 0.2 if self._console.is_terminal else 1.0
            due = time.monotonic()
            for batch in _batches(self._stories):
                now = time.perf_counter()
                tally.posted |= {call["sid"]: now for call in batch}
                _post_calls(client, gateway.url, batch)
                tally.made += len(batch)
                self._look(stages, tally, show, pace)
                due += PACE
                time.sleep(max(0.0, due - time.monotonic()))
            deadline = time.monotonic() + ARRIVAL_SECONDS
            while not complete(self._expected, tally.arrivals) and time.monotonic() < deadline:
                self._look(stages, tally, show, pace)
                time.sleep(0.05)
            quiet = time.monotonic() + QUIET_SECONDS
            while time.monotonic() < quiet:
                self._look(stages, tally, show, pace)
                time.sleep(0.05)
            self._look(stages, tally, show, 0)
        if not self._console.is_terminal:
            self._console.print(picture(tally))

    def _look(
        self, stages: list[StageProcess], tally: Tally, show: Callable[[], None], pace: float
    ) -> None:
        """Bring the counts up to date and show them, every `pace` seconds."""
        now = time.monotonic()
        if now < self._looked + pace:
            return
        self._looked = now
        for stage in stages:
            if not stage.alive:
                raise DemoFailed(f"{stage.name} ended ({stage.ending}).\n{stage.log_tail()}")
        tally.read(*(stage.metrics() for stage in stages[:3]))
        show()

    def _tell(self, verdict: Verdict, tally: Tally) -> None:
        for what in ("missing", "unexpected", "different", "duplicated"):
            faults = getattr(verdict, what)
            for fault in faults[:_SHOWN_FAULTS]:
                self._console.print(f"{what}: {fault}", markup=False, style="red", soft_wrap=True)
            if len(faults) > _SHOWN_FAULTS:
                self._console.print(f"… and {len(faults) - _SHOWN_FAULTS} more {what}")
        word = "RIGHT" if verdict.good else "WRONG"
        self._console.print(
            f"{word}: {tally.made} calls became {len(tally.arrivals)} requests;"
            f" {sum(one.times for one in self._expected)} were expected, {verdict.counts()};"
            f" {tally.latency()}.",
            style="bold green" if verdict.good else "bold red",
            highlight=False,
            soft_wrap=True,
        )

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _saying(self, what: str) -> Iterator[Callable[[str], None]]:
        """Tell what is going on: in place on a terminal, line by line elsewhere."""
        if not self._console.is_terminal:
            yield lambda text: self._say(f"{what}: {text}")
            return
        began = time.monotonic()
        with self._console.status(what) as status:
            yield lambda text: status.update(f"{what}: {text}")
        self._say(f"{what}: ready after {time.monotonic() - began:.1f} s")


def _uneasy(path: str, query: Pairs, body: Pairs, earlier: int) -> int:
    """The receiver's answer: 500 to the first request of some calls, to show a retry."""
    if path == ACTIONS[UNEASY].path and earlier == 0 and is_uneasy(dict(query + body)["sid"]):
        return 500
    return 200


def _batches(told: list[Story]) -> Iterator[list[dict[str, Any]]]:
    """All calls; one and its correction in their order."""
    calls = (call for story in told for call in story.calls)
    while batch := list(islice(calls, BATCH)):
        yield batch


def _post_calls(client: httpx.Client, gateway: str, calls: list[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(call, ensure_ascii=False) + "\n" for call in calls)
    answer = client.post(
        gateway + "/v1/calls",
        content=lines.encode(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    _check(answer)


def _ask(client: httpx.Client, url: str, body: dict[str, Any]) -> None:
    _check(client.post(url, json=body))


def _check(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise DemoFailed(
            f"{answer.request.method} {answer.request.url} was answered {answer.status_code}:"
            f" {answer.text[:2000]}"
        )


if __name__ == "__main__":
    sys.exit(demo(Console()))

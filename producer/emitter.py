"""Calls of a file to the gateway: batch by batch, again while Kafka is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NoReturn

import httpx

MAX_BATCH_BYTES = 4 * 1024 * 1024
"""A batch is posted when it is full or this large, well below what the gateway takes."""
GIVE_UP_AFTER = 120.0
"""Seconds without Kafka after which a batch is no longer tried."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 30.0


class Stopped(Exception):
    """Nothing more is sent; the message says why. `faults` are lines for the sender."""

    def __init__(self, why: str, faults: list[str] | None = None) -> None:
        super().__init__(why)
        self.faults = faults or []


@dataclass(slots=True)
class Lines:
    """Calls of a file that are posted together."""

    numbers: list[int] = field(default_factory=list)
    """The line of each in the file."""
    texts: list[bytes] = field(default_factory=list)
    size: int = 0

    def __len__(self) -> int:
        return len(self.texts)


def batches(file: BinaryIO, size: int) -> Iterator[Lines]:
    """The calls of a file, `size` at a time; blank lines are left out, the rest is not looked at.

    Raises `Stopped` for a line that cannot be a call, after yielding what stands before it.
    """
    batch = Lines()
    number = 0
    # Reading a limited line keeps a file without line breaks out of memory.
    while line := file.readline(MAX_BATCH_BYTES + 1):
        number += 1
        if len(line) > MAX_BATCH_BYTES:
            yield batch
            raise Stopped(
                f"line {number} is longer than {MAX_BATCH_BYTES:,} bytes: one call a line"
            )
        text = line.strip()
        if number == 1:
            text = text.removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        if len(batch) >= size or batch.size + len(text) > MAX_BATCH_BYTES:
            yield batch
            batch = Lines()
        batch.numbers.append(number)
        batch.texts.append(text)
        batch.size += len(line)
    yield batch


class Emitter:
    """Posts batches to a gateway, again while it has no Kafka."""

    def __init__(
        self,
        client: httpx.Client,
        url: str,
        name: str,
        note: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`url` is the gateway's; `name` the file's, for messages; `note` shows one to people."""
        self._client = client
        self._url = url.rstrip("/")
        self._name = name
        self._note = note
        self._sleep = sleep
        self.accepted = 0

    def send(self, batch: Lines) -> None:
        """Return when the gateway acknowledged the batch. Raises `Stopped`."""
        if not len(batch):
            return
        waited = 0.0
        while True:
            response = self._post(b"\n".join(batch.texts))
            if response.status_code != 503:
                break
            pause = _retry_after(response)
            if waited + pause > GIVE_UP_AFTER:
                raise Stopped(f"given up after {waited:.0f} s: {_detail(response)}")
            self._note(f"{_detail(response)} Trying again in {pause:g} s.")
            self._sleep(pause)
            waited += pause
        if response.status_code != 202:
            self._refuse(batch, response)
        self.accepted += len(batch)

    def _post(self, body: bytes) -> httpx.Response:
        headers = {"Content-Type": "application/x-ndjson"}
        try:
            return self._client.post(f"{self._url}/v1/calls", content=body, headers=headers)
        except httpx.ConnectError as error:
            raise Stopped(
                f"no gateway answers at {self._url} ({error}); start it with `pca up`, or say where"
                " it is with --url or PCA_PRODUCER_URL"
            ) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Stopped(f"{self._url!r} is no URL of a gateway: {error}") from error
        except httpx.TransportError as error:
            raise Stopped(
                f"the gateway at {self._url} broke off ({error or type(error).__name__}); the last"
                " batch may have arrived, and sending it again is safe"
            ) from error

    def _refuse(self, batch: Lines, response: httpx.Response) -> NoReturn:
        problem = _problem(response)
        faults = []
        for fault in problem.get("errors") or ():
            line = batch.numbers[fault["index"]]
            place = f"{self._name}:{line}: " + (f"{fault['path']}: " if fault["path"] else "")
            faults.append(place + fault["reason"])
        if not faults:
            raise Stopped(f"the gateway answered {response.status_code}: {_detail(response)}")
        raise Stopped(
            f"lines {batch.numbers[0]} to {batch.numbers[-1]} were refused together"
            f" ({problem.get('refused', 1)} at fault) and nothing after them was sent",
            faults,
        )


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _detail(response: httpx.Response) -> str:
    detail: str = _problem(response).get("detail", "") or response.text[:200]
    return detail if detail.endswith(".") else detail + "."


def _retry_after(response: httpx.Response) -> float:
    header = response.headers.get("retry-after", "")
    # The header may hold a date as well; a second is as good a guess.
    seconds = float(header) if header.isascii() and header.isdigit() else 1.0
    return min(max(seconds, SHORTEST_PAUSE), LONGEST_PAUSE)

"""Calls at a steady rate, whatever happens to the line."""

import threading
import time

from streaming.acks import Acks

ACTIONS = ("one", "two", "three")
"""Those that run for every call of `account`."""
_TICK = 0.05


def account(id_, urls):
    """An account as in `pca apply`: an action for each of `ACTIONS` at its URL, and two idle."""

    def action(name, url, **fields):
        return {
            "id": f"{id_}-{name}", "name": name, "scope": "all_calls",
            "target_url": f"{url}/{name}", "parameters": [{"name": "sid", "placeholder": "sid"}],
        } | fields  # fmt: skip

    runs = [action(name, urls[name]) for name in ACTIONS]
    idle = [
        action("inactive", urls["one"], active=False),
        action("only-numbers", urls["one"], scope="configured_numbers_only"),
    ]
    return {"id": id_, "name": id_, "actions": [*runs, *idle]}


class Load(threading.Thread):
    """Writes calls until `stop`. Does not wait for the broker: what it cannot take waits here."""

    def __init__(self, line, accounts, tag, rate):
        """`tag` starts every sid; `rate` in calls a second."""
        super().__init__(name="load", daemon=True)
        self._line = line
        self._accounts = accounts
        self._tag = tag
        self._rate = rate
        self._stopping = threading.Event()
        self._errors = []
        self._unanswered = 0
        self.written = []
        """When each call was written, in order; seconds since 1970."""

    def run(self):
        began = time.monotonic()
        while not self._stopping.wait(_TICK):
            due = int((time.monotonic() - began) * self._rate)
            self._write(range(len(self.written), due))

    def _write(self, numbers):
        line = self._line
        acks = Acks(self._answered)
        self._unanswered += 1
        for number in numbers:
            id_ = self._accounts[number % len(self._accounts)]
            call = line.call(id_, sid=f"{self._tag}{number}")
            line.producer.send(line.topics.calls, id_, call, acks)
            self.written.append(time.time())
        acks.seal()

    def _answered(self, error):
        self._unanswered -= 1
        if error is not None:
            self._errors.append(error)

    def stop(self):
        """No more calls."""
        self._stopping.set()
        self.join()

    def acknowledged(self):
        """Whether the broker has every call, as all must be that are audited."""
        assert not self._errors
        return self._unanswered == 0

    def expected(self):
        """Every request that must arrive (its path), and when its call was written."""
        return {
            f"/{name}?sid={self._tag}{number}": at
            for number, at in enumerate(self.written)
            for name in ACTIONS
        }

"""The breakers of the endpoints that have failed of late, and what is to be told of them."""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.breaker import Breaker, Change, Rules, restored
from schemas.released import Record


class Endpoints:
    """By action key. Most endpoints have no breaker: it is made at their first failure and
    forgotten when they are well again. Synchronous; times are microseconds since 1970."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._breakers: dict[str, Breaker] = {}
        self.changed: dict[str, tuple[Change, Breaker]] = {}
        """Action key → what happened to it since somebody last took this: to be published."""

    def __len__(self) -> int:
        return len(self._breakers)

    def get(self, key: str) -> Breaker | None:
        """None for one that is well."""
        return self._breakers.get(key)

    def may_start(self, key: str, now: int) -> bool:
        """See `Breaker.admits`."""
        breaker = self._breakers.get(key)
        return breaker is None or breaker.admits(now)

    def starts(self, key: str) -> int:
        """A try starts: the generation that it belongs to."""
        breaker = self._breakers.get(key)
        return 0 if breaker is None else breaker.starts()

    def sees(self, key: str, action_version: int, now: int) -> Breaker | None:
        """A dispatch has come, made with that version of the action."""
        breaker = self._breakers.get(key)
        if breaker is not None and (change := breaker.sees(action_version, now)):
            self.changed[key] = change, breaker
        return breaker

    def succeeded(self, key: str, generation: int, now: int) -> Change | None:
        """A try was delivered."""
        breaker = self._breakers.get(key)
        if breaker is None:
            return None
        change = self._noted(key, breaker, breaker.succeeded(generation, now))
        if breaker.is_forgettable(now):
            del self._breakers[key]
        return change

    def failed(
        self,
        key: str,
        action_version: int,
        generation: int,
        now: int,
        error: str,
        detail: str,
        *,
        passing: bool,
        gone: bool = False,
        wait: float = 0.0,
    ) -> Change | None:
        """A try was not, by its customer's fault. `gone`: it is to be tried no more; the others as
        `Breaker.failed` has them. A retry made with an older version of the action says nothing of
        what it is now: somebody may have mended it."""
        breaker = self._breakers.get(key)
        if breaker is None:
            breaker = self._breakers[key] = Breaker(self._rules, now)
        outdated = action_version < breaker.action_version
        if outdated and breaker.state == "closed":
            return None
        breaker.action_version = max(breaker.action_version, action_version)
        change = breaker.failed(generation, now, error, detail, passing=passing, wait=wait)
        if gone and not outdated:
            change = breaker.pause(now) or change
        return self._noted(key, breaker, change)

    def undecided(self, key: str, generation: int) -> None:
        """A try came to nothing that says anything about the endpoint."""
        breaker = self._breakers.get(key)
        if breaker is not None:
            breaker.undecided(generation)

    def _noted(self, key: str, breaker: Breaker, change: Change | None) -> Change | None:
        if change is not None:
            self.changed[key] = change, breaker
        return change

    def restore(self, key: str, record: Record | None, now: int) -> None:
        """Take over what an earlier owner wrote; None where nothing is left of it."""
        breaker = None if record is None else restored(record, self._rules, now)
        if breaker is None:
            self._breakers.pop(key, None)
        else:
            self._breakers[key] = breaker

    def drop(self, unwanted: Callable[[str], bool]) -> None:
        """Forget the keys of which `unwanted` is true: somebody else owns them now."""
        for key in [key for key in self._breakers if unwanted(key)]:
            del self._breakers[key]
        for key in [key for key in self.changed if unwanted(key)]:
            del self.changed[key]

    def shut(self) -> list[str]:
        """Those that are open or paused."""
        return [key for key, breaker in self._breakers.items() if breaker.state != "closed"]

    def states(self) -> dict[str, int]:
        """How many are in which state."""
        counts = {"closed": 0, "open": 0, "paused": 0}
        for breaker in self._breakers.values():
            counts[breaker.state] += 1
        return counts

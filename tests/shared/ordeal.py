"""What was done to a line, and the most that it may have had to do twice for that."""

from dataclasses import dataclass

from audit import around

COMMIT_INTERVAL = 0.25


class Ordeal:
    """What was done to the line, and what came of it."""

    def __init__(self, arrivals):
        self.arrivals = arrivals
        """Asks what has come so far."""
        self.at = self.over = 0.0
        """When the fault began and ended; seconds since 1970."""
        self.unfinished = 0
        """Requests of the records that had been read, and not committed as done, at its end."""
        self.given_up = []
        """Every time since it began that a stage gave up its partitions."""
        self.retried = 0
        """Tries that failed. The customer may have the request all the same, and gets another."""
        self.calls = 0
        self.dead = 0
        """Dispatches that ended in pca.dead."""
        self.verdict = None

    def after_an_outage(self):
        """The most that may be sent twice when Kafka could not be written to: all that had been
        begun by its end, if anybody lost partitions, and what was begun and not finished by those
        who came back early and had to share with the others."""
        later = [one for one in self.given_up if one.at > self.over]
        return self.retried + (self.unfinished if self.given_up else 0) + self._cost(later)

    def after(self, *crashes):
        """The most that may be sent twice when Kafka was there. Whenever partitions changed hands:
        what the stage that gave them up had begun and not finished, by its own count, and what it
        had finished and not committed. The same for `crashes`, as (seconds since 1970, requests in
        flight), when nobody could count."""
        return self.retried + self._cost([*self.given_up, *(GivenUp(*crash) for crash in crashes)])

    def _cost(self, given_up):
        """What was finished and not committed came within a commit interval of the moment."""
        found = self.arrivals()
        return sum(one.unfinished + around(found, one.at, COMMIT_INTERVAL) for one in given_up)


@dataclass(frozen=True)
class GivenUp:
    """A stage has no partitions any more."""

    at: float
    """Seconds since 1970."""
    unfinished: int
    """Requests that had been begun and not finished."""

"""What was done to a line, and the most that it may have had to do twice for that."""

from dataclasses import dataclass

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
        begun by its end, if anybody lost partitions, and what those had in hand who came back early
        and had to share with the others."""
        if not self.given_up:
            return self.retried
        later = [one for one in self.given_up if one.at > self.over]
        return self.retried + self.unfinished + sum(self._cost(one, self.over) for one in later)

    def after(self, *vanished):
        """The most that may be sent twice when Kafka was there: what was in hand whenever
        partitions changed hands, also those of stages that `vanished` and could not say so."""
        cost = sum(self._cost(one) for one in vanished)
        for one in self.given_up:
            # Who was frozen has finished nothing since, until it was woken.
            frozen = one.stage in {gone.stage for gone in vanished}
            cost += self._cost(one, self.over if frozen else 0.0)
        return self.retried + cost

    def _cost(self, one, since=0.0):
        """What had been begun and not finished, and what had been finished, after `since`, and not
        committed."""
        start, end = max(since, one.committed), one.at + COMMIT_INTERVAL
        uncommitted = sum(start <= arrival.at <= end for arrival in self.arrivals())
        return one.unfinished + (0 if one.asked else uncommitted)


@dataclass(frozen=True)
class GivenUp:
    """A stage has no partitions any more. Times in seconds since 1970."""

    stage: str
    """Its name."""
    at: float
    unfinished: int
    """Requests that had been begun and not finished."""
    committed: float
    """What had been finished by then was committed."""
    asked: bool = False
    """Whether the group asked for them, so that it could commit everything; otherwise others have
    them already."""

"""What waits in a lane, without a dispatch behind it."""

from dispatcher import lane
from dispatcher.lane import EARLY, LATE


class Item(lane.Item):
    def __init__(
        self, key, number=0, kind=EARLY, max_in_flight=None, rate_limit=None, action_version=1
    ):
        super().__init__(key, kind, action_version, max_in_flight, rate_limit)
        self.number = number

    def __repr__(self):
        return f"{self.key}{self.number}" + ("'" if self.kind == LATE else "")

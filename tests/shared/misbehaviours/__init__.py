"""The table of misbehaviours: what a server may do, and what must come of it."""

from __future__ import annotations

from misbehaviours import bodies, connections, heads, manners, secured
from misbehaviours.differences import DIFFERENCES, Difference
from misbehaviours.row import AMPLE, CAP, DEADLINE, PART, Row

GROUPS: dict[str, tuple[Row, ...]] = {
    "The connection": connections.ROWS,
    "Other protocols": heads.OTHER_PROTOCOLS,
    "The status line": heads.STATUS_LINES,
    "Headers": heads.HEADERS,
    "Interim answers": heads.INTERIM,
    "Lengths": bodies.LENGTHS,
    "Transfer codings": bodies.CODINGS,
    "Chunks": bodies.CHUNKS,
    "Bodies": bodies.BODIES,
    "Second answers": manners.SECOND,
    "Kept connections": manners.KEPT,
    "Redirects": manners.REDIRECTS,
    "Requests to the client": manners.REQUESTS,
    "TLS": secured.ROWS,
}
ROWS = tuple(row for rows in GROUPS.values() for row in rows)

assert {row.name for row in ROWS} >= {name for one in DIFFERENCES for name in one.rows}

__all__ = ["AMPLE", "CAP", "DEADLINE", "DIFFERENCES", "GROUPS", "PART", "ROWS", "Difference", "Row"]

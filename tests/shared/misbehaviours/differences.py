"""Where a transport departs from the table, and why that is let stand."""

from __future__ import annotations

from dataclasses import dataclass

from misbehaviours.row import End


@dataclass(frozen=True)
class Difference:
    """Rows that one transport does not hold to, all for the same reason."""

    transport: str
    why: str
    rows: tuple[str, ...]
    ends: tuple[End, ...] = ()
    """How they end there instead; all else holds. Empty where harm is done: then the row has to
    fail, so that we learn when it no longer does."""
    always: bool = True
    """Harm is done every time, and not only when buffers are full or it is the wrong moment."""


DIFFERENCES = (
    Difference(
        "reference",
        "aiohttp takes a reset for the end of a body without length",
        ("resets a body without length",),
        (200,),
    ),
    Difference(
        "reference",
        "aiohttp does not tell these protocols from HTTP/1.1",
        ("answers as RTSP does", "answers HTTP/2.0"),
        (200, "timeout"),
    ),
    Difference(
        "reference",
        "aiohttp waits on and on when a trailer that is too long comes in several pieces",
        ("sends a trailer of 100 kB",),
        (200, "protocol", "timeout"),
    ),
    Difference(
        "reference",
        "aiohttp throws a whole answer away because of what stands behind it",
        (
            "sends more than it says",
            "sends chunks behind the last chunk",
            "sends a body with 204",
            "says a length with 204 and sends the body",
            "sends a body with 304",
        ),
        ("protocol",),
    ),
    Difference(
        "reference",
        "aiohttp reads on and on: of all this, only the content of a body counts",
        (
            "sends blank lines for ever",
            "never ends an extension of a chunk",
            "never ends the size of a chunk",
            "sends single-byte chunks for ever",
            "sends single-byte chunks with long extensions for ever",
        ),
    ),
    Difference(
        "reference",
        "aiohttp keeps a connection on which bytes came that nobody asked for; the next request"
        " is answered with them",
        (
            "gives two answers, one after the other",
            "gives half a second answer",
            "says one byte more",
            "says 408 on an idle connection and goes on",
            "says 200 on an idle connection",
        ),
    ),
    Difference(
        "reference",
        "aiohttp keeps a connection that answered too early if it took that for the answer; the"
        " next request gets the real one",
        ("answers before it was asked",),
        always=False,
    ),
    Difference(
        "reference",
        "aiohttp does not close a connection before all that it wants to send is sent",
        (
            "answers 413 and never reads the body",
            "never reads a body of 4 MiB",
            "reads a body of 4 MiB a byte at a time",
        ),
        always=False,
    ),
    Difference(
        "reference",
        "aiohttp gives an answer without a body, and what is no answer of ours is not closed",
        ("says 101 and nothing more", "answers with status 000"),
    ),
)

"""How values are written in a request (D40 to D58). Empty means "does not apply" (D25, D26)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def eastern(microseconds: int | None) -> str:
    """`2026-07-01 10:03:22`: Eastern time without an offset, converted last. D40."""
    moment = _eastern(microseconds)
    return moment.replace(tzinfo=None).isoformat(" ") if moment else ""


def eastern_iso(microseconds: int | None) -> str:
    """`2026-07-01T10:03:22-04:00`: the same moment, unambiguous. D40."""
    moment = _eastern(microseconds)
    return moment.isoformat() if moment else ""


def _eastern(microseconds: int | None) -> datetime | None:
    """None also for a time outside the years 1 to 9999, which a foreign producer may write."""
    if microseconds is None:
        return None
    try:
        return (_EPOCH + timedelta(seconds=microseconds // 1_000_000)).astimezone(EASTERN)
    except OverflowError:
        return None


def tenths(seconds: int | None) -> str:
    """Minutes rounded up to the tenth, in integers: 61 s → `1.1`. D43."""
    if seconds is None:
        return ""
    count = -(-seconds // 6)
    return f"{count // 10}.{count % 10}"


def minutes(seconds: int | None) -> str:
    """Whole minutes rounded up: 61 s → `2`. D44."""
    return "" if seconds is None else str(-(-seconds // 60))


def total(talk: int | None, intelligent: int | None) -> int | None:
    """Seconds connected to the platform: talk + intelligent; None when neither is known. D45."""
    if talk is None and intelligent is None:
        return None
    return (talk or 0) + (intelligent or 0)


def whole(value: int | None) -> str:
    """A whole number; zero is a value. D26, D55."""
    return "" if value is None else str(value)


_CALL_TYPES = {"inbound": "Inbound", "outbound": "Outbound", "click-to": "Click-To"}


def call_type(word: str) -> str:
    """The product's three words, any other unchanged. D42."""
    return _CALL_TYPES.get(word, word)

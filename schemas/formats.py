"""How values are written in a request (D40 to D58). Empty means "does not apply" (D25, D26)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES_AND_SECONDS = tuple(f"{n // 60:02d}:{n % 60:02d}" for n in range(3600))


def eastern(microseconds: int | None) -> str:
    """`2026-07-01 10:03:22`: Eastern time without an offset, converted last. D40, D57."""
    if microseconds is None:
        return ""
    hour, second = divmod(microseconds // 1_000_000, 3600)
    if hour < 0:
        moment = _eastern(microseconds // 1_000_000)
        return moment.replace(tzinfo=None).isoformat(" ") if moment else ""
    day_and_hour, offset = _hour(hour)
    return f"{day_and_hour}:{_MINUTES_AND_SECONDS[second]}" if offset else ""


def eastern_iso(microseconds: int | None) -> str:
    """`2026-07-01T10:03:22-04:00`: the same moment, unambiguous. D40."""
    if microseconds is None:
        return ""
    hour, second = divmod(microseconds // 1_000_000, 3600)
    if hour < 0:
        moment = _eastern(microseconds // 1_000_000)
        return moment.isoformat() if moment else ""
    day_and_hour, offset = _hour(hour)
    if not offset:
        return ""
    return f"{day_and_hour[:10]}T{day_and_hour[11:]}:{_MINUTES_AND_SECONDS[second]}{offset}"


@lru_cache(maxsize=4096)
def _hour(hour: int) -> tuple[str, str]:
    """The hour since 1970, UTC, in Eastern time: `2026-07-01 10` and its offset `-04:00`.

    Since 1970 New York is whole hours from UTC and its clock changes on the hour, so an hour of
    UTC is one hour there. Both are empty for a time outside the years 1 to 9999.
    """
    moment = _eastern(hour * 3600)
    if moment is None:
        return "", ""
    text = moment.isoformat(" ")
    return text[:13], text[19:]


def _eastern(seconds: int) -> datetime | None:
    """None for a time outside the years 1 to 9999, which a foreign producer may write."""
    try:
        return (_EPOCH + timedelta(seconds=seconds)).astimezone(EASTERN)
    except OverflowError:
        return None


def tenths(seconds: int | None) -> str:
    """Minutes rounded up to the tenth, in integers: 61 s → `1.1`. D43.

    Empty also for what a foreign producer wrote below zero: nobody measured that.
    """
    if seconds is None or seconds < 0:
        return ""
    count = -(-seconds // 6)
    return f"{count // 10}.{count % 10}"


def minutes(seconds: int | None) -> str:
    """Whole minutes rounded up: 61 s → `2`. D44. Empty below zero, as `tenths`."""
    return "" if seconds is None or seconds < 0 else str(-(-seconds // 60))


def total(talk: int | None, intelligent: int | None) -> int | None:
    """Seconds connected to the platform: talk + intelligent; None when neither is known. D45."""
    if talk is None and intelligent is None:
        return None
    return (talk or 0) + (intelligent or 0)


def whole(value: int | None) -> str:
    """A whole number; zero is a value. D26, D55."""
    return "" if value is None else str(value)


def flag(value: bool | None) -> str:
    """`1`, `0`, or empty when unknown. D47."""
    return "" if value is None else "1" if value else "0"


_PRICE = re.compile(r"(0|[1-9][0-9]{0,17})\.[0-9]{2}", re.ASCII)
_CENT = Decimal("0.01")


def price(text: str) -> str:
    """Two decimals without a symbol: `12.5` → `12.50`; half a cent is rounded up. D48.

    Empty for what is no decimal number: a producer of records checks less than our gateway.
    """
    return text if not text or _PRICE.fullmatch(text) else _rounded(text[:100])


def _rounded(text: str) -> str:
    try:
        rounded = Decimal(text).quantize(_CENT, ROUND_HALF_UP)
    except InvalidOperation:  # not a number, or too large for one
        return ""
    if not rounded.is_finite():
        return ""
    return format(rounded or abs(rounded), "f")  # zero has no sign


_CALL_TYPES = {"inbound": "Inbound", "outbound": "Outbound", "click-to": "Click-To"}


def call_type(word: str) -> str:
    """The product's three words, any other unchanged. D42."""
    return _CALL_TYPES.get(word, word)

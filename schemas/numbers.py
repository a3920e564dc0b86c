"""Telephone numbers: to E.164 for matching, and as customers are shown them (D41)."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_TELEPHONE = re.compile(r"\+?[0-9\s().\-/]{7,30}")
_LONGEST = 31
HOME_REGION = "US"
"""Where a number written without a country code is taken to be."""


def e164(raw: str) -> str:
    """`+13125550123` for any way to write that number; empty for what is no telephone number.

    Extensions, SIP URIs and words like `anonymous` are not numbers. D41.
    """
    # The cache must not keep what strangers send: long texts are no numbers anyway.
    return _e164(raw) if len(raw) <= _LONGEST else ""


@lru_cache(maxsize=65_536)
def _e164(raw: str) -> str:
    if _E164.fullmatch(raw):
        return raw
    if not _TELEPHONE.fullmatch(raw):
        return ""
    try:
        parsed = phonenumbers.parse(raw, HOME_REGION)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(parsed):
        return ""
    found = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    # Short local numbers are possible ones too, and no E.164.
    return found if _E164.fullmatch(found) else ""


def shown(raw: str, e164_form: str) -> str:
    """A number as it is sent: 10 national digits for +1, else E.164 without the plus. D41.

    What has no E.164 form passes through unchanged.
    """
    if not e164_form:
        return raw
    if e164_form.startswith("+1") and len(e164_form) == 12:
        return e164_form[2:]
    return e164_form[1:]

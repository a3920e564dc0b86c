"""The Google Analytics® option: what GA4's Measurement Protocol takes, checked when saved.

GA4 answers 2xx to an event that it then throws away, so nobody would notice later.
"""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from schemas.call import Shape
from schemas.parameters import Parameter, PlaceholderId, repeated
from schemas.refusals import Refusals

MAX_PARAMETERS = 25
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_RESERVED_PREFIXES = ("google_", "ga_", "firebase_")
_RESERVED_EVENTS = frozenset({
    "ad_activeview", "ad_click", "ad_exposure", "ad_query", "ad_reward", "adunit_exposure",
    "app_background", "app_clear_data", "app_exception", "app_install", "app_remove",
    "app_store_refund", "app_store_subscription_cancel", "app_store_subscription_convert",
    "app_store_subscription_renew", "app_update", "app_upgrade", "dynamic_link_app_open",
    "dynamic_link_app_update", "dynamic_link_first_open", "error", "first_open", "first_visit",
    "in_app_purchase", "notification_dismiss", "notification_foreground", "notification_open",
    "notification_receive", "os_update", "session_start", "user_engagement",
})  # fmt: skip
"""Google's own events; one of ours under such a name is dropped."""
_PERSONAL = re.compile(r"caller_id|called_number|transferred_to_number|lookup_.*")
"""Placeholders that identify a person. Google's terms forbid them, hashed or not."""


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "is no name for Google Analytics; write a letter and then letters, digits or _, at"
            " most 40 in all"
        )
    if name.startswith(_RESERVED_PREFIXES):
        raise ValueError(
            f"starts as Google's own names do; not allowed are {', '.join(_RESERVED_PREFIXES)}"
        )
    return name


def _event_name(name: str) -> str:
    if _name(name) in _RESERVED_EVENTS:
        raise ValueError(
            "is an event of Google's own, which it would drop; choose another, such as phone_call"
        )
    return name


def _not_personal(placeholder: str) -> str:
    if _PERSONAL.fullmatch(placeholder):
        raise ValueError(
            "identifies a person and is not sent to Google Analytics, masked or hashed neither;"
            " allowed is any but caller_id, called_number, transferred_to_number and lookup_…"
        )
    return placeholder


class EventParameter(Parameter):
    """One parameter of the event."""

    name: Annotated[str, AfterValidator(_name)]
    placeholder: Annotated[PlaceholderId, AfterValidator(_not_personal)]


class GoogleAnalytics(Shape):
    """The GA4 Measurement Protocol event of a `google_analytics` action."""

    measurement_id: Annotated[str, StringConstraints(pattern=r"^G-[A-Z0-9]{4,20}$")]
    api_secret: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    event_name: Annotated[str, AfterValidator(_event_name)]
    parameters: Annotated[list[EventParameter], Field(max_length=MAX_PARAMETERS)] = Field(
        default_factory=list
    )

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        refusals = Refusals()
        for index, name in repeated(parameter.name for parameter in self.parameters):
            refusals.add(
                ("parameters", index, "name"), "is the name of another one too; rename one", name
            )
        refusals.settle("GoogleAnalytics")
        return self

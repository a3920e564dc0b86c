"""The configuration as JSON and YAML: accounts, Post Call Actions, and what numbers trigger.

What is checked here is checked for the API, for `pca apply` and for pages alike. Every message
says what was given and what is allowed; pydantic adds the path.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from schemas.call import AccountId, Shape
from schemas.numbers import e164
from schemas.placeholders import PLACEHOLDERS
from schemas.released import Record

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$")]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
ParameterName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Kind = Literal["number", "pool", "ad_group"]
Scope = Literal["all_calls", "configured_numbers_only"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _target_url(url: str) -> str:
    """D27, D29: what can be called over HTTP, as typed."""
    if _CONTROL.search(url):
        raise ValueError("holds a control character (a line break, a tab); remove it")
    if " " in url:
        raise ValueError(f"holds a space; write {url.replace(' ', '%20')!r}")
    if "#" in url:
        raise ValueError("holds a fragment (#…), which is never sent to a server; remove it")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"is not a URL: {error}") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise ValueError("must start with http:// or https://")
    if not parts.hostname:
        raise ValueError("names no host; write http://example.com/handler or the like")
    return url


def _placeholder(placeholder: str) -> str:
    if placeholder not in PLACEHOLDERS:
        raise ValueError(f"is no placeholder; allowed are {', '.join(PLACEHOLDERS)}")
    return placeholder


def _number(number: str) -> str:
    normal = e164(number)
    if not normal:
        raise ValueError("is no telephone number; write it as +18005550100")
    return normal


TargetUrl = Annotated[str, StringConstraints(max_length=8000), AfterValidator(_target_url)]
PhoneNumber = Annotated[str, AfterValidator(_number)]
"""Any way to write a telephone number; becomes E.164."""


class Account(Shape):
    """An account and what is enabled for it."""

    name: Name
    reverse_lookup_enabled: bool = False
    sourcetrak_enabled: bool = False
    leadflow_enabled: bool = False


class Parameter(Shape):
    """One dynamic parameter: the name that the customer's server sees, and what it holds."""

    name: ParameterName
    placeholder: Annotated[str, AfterValidator(_placeholder)]
    transform: Literal["mask", "sha256"] | None = None
    omit_empty: bool = False


class Header(Shape):
    """A header that every request of an action carries."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    value: Annotated[str, StringConstraints(max_length=2000)]


class Conditions(Shape):
    """What must all be true of a call for an action to run. What is left out is not asked."""

    minimum_talk_seconds: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    call_types: Annotated[list[str], Field(max_length=20)] = Field(default_factory=list)
    qualified: Literal["source", "destination", "both"] | None = None
    pool_ids: Annotated[list[str], Field(max_length=200)] = Field(default_factory=list)
    tags: Annotated[list[str], Field(max_length=200)] = Field(default_factory=list)


class GoogleAnalytics(Shape):
    """The GA4 Measurement Protocol event of a `google_analytics` action."""

    measurement_id: Annotated[str, StringConstraints(pattern=r"^G-[A-Z0-9]{4,20}$")]
    api_secret: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    event_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
    parameters: Annotated[list[Parameter], Field(max_length=25)] = Field(default_factory=list)


class Action(Shape):
    """A Post Call Action."""

    name: Name
    active: bool = True
    scope: Scope
    option: Literal["call_detail", "google_analytics"] = "call_detail"
    target_url: TargetUrl | None = None
    method: Literal["GET", "POST", "PUT"] = "GET"
    parameters: Annotated[list[Parameter], Field(max_length=200)] = Field(default_factory=list)
    include_sourcetrak: bool = False
    include_leadflow: bool = False
    revisions: bool = False
    omit_empty: bool = False
    body: Literal["form", "json", "template"] = "form"
    template: Annotated[str, StringConstraints(max_length=32_000)] | None = None
    content_type: Annotated[str, StringConstraints(max_length=200)] | None = None
    headers: Annotated[list[Header], Field(max_length=50)] = Field(default_factory=list)
    conditions: Conditions | None = None
    google_analytics: GoogleAnalytics | None = None

    @model_validator(mode="after")
    def _option_has_its_settings(self) -> Self:
        if self.option == "google_analytics":
            if self.google_analytics is None:
                raise ValueError("option google_analytics needs the field google_analytics")
            given = [name for name in ("target_url", "method", "parameters")
                     if name in self.model_fields_set]  # fmt: skip
            if given:
                raise ValueError(f"google_analytics replaces {' and '.join(given)}; leave it out")
        else:
            if self.target_url is None:
                raise ValueError("option call_detail needs a target_url")
            if self.google_analytics is not None:
                raise ValueError(
                    "google_analytics belongs to option google_analytics; leave it out"
                )
        return self

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        """D30."""
        counts = Counter(parameter.name for parameter in self.parameters)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"two dynamic parameters are named {twice[0]!r}; rename one")
        static = {
            name
            for name, _ in parse_qsl(urlsplit(self.target_url or "").query, keep_blank_values=True)
        }
        if both := sorted(static & counts.keys()):
            raise ValueError(
                f"a dynamic parameter and a static one in target_url are both named {both[0]!r};"
                " rename one"
            )
        return self

    def to_avro(self, action_id: str, version: int) -> Record:
        """The Action record."""
        return self.model_dump(exclude_none=True) | {"action_id": action_id, "version": version}


class Routing(Shape):
    """ "Send Post Call Data for": what calls to a number trigger, and the number's Phone Label."""

    send: Literal["account_wide", "specific", "none"] = "account_wide"
    action_id: Id | None = None
    label: (
        Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] | None
    ) = None

    @model_validator(mode="after")
    def _specific_names_its_action(self) -> Self:
        if self.send == "specific" and self.action_id is None:
            raise ValueError("send 'specific' needs an action_id")
        if self.send != "specific" and self.action_id is not None:
            raise ValueError(
                f"action_id belongs to send 'specific', not {self.send!r}; leave it out"
            )
        return self

    def to_avro(self) -> Record:
        """The Routing record."""
        return {"send": self.send, "action_id": self.action_id or "", "label": self.label or ""}


class PoolRouting(Routing):
    """The same for a SourceTrak pool or Call Extensions ad group, which may fall through."""

    send: Literal["account_wide", "specific", "none", "inherit"] = "inherit"  # type: ignore[assignment]


ROUTING_SHAPES: dict[Kind, type[Routing]] = {
    "number": Routing,
    "pool": PoolRouting,
    "ad_group": PoolRouting,
}


class ActionDocument(Action):
    """An action in a file: its id is chosen there."""

    id: Id


_Item = TypeVar("_Item", "ActionDocument", "AccountDocument")


def _written_once(numbers: Any) -> Any:
    """Two spellings of one number would leave the first without effect, silently."""
    if isinstance(numbers, dict):
        spellings: dict[str, str] = {}
        for spelling in filter(e164, (key for key in numbers if isinstance(key, str))):
            first = spellings.setdefault(e164(spelling), spelling)
            if first != spelling:
                raise ValueError(f"{first!r} and {spelling!r} are one number; remove one")
    return numbers


def _distinct_ids(items: list[_Item]) -> list[_Item]:
    counts = Counter(item.id for item in items)
    if twice := [id_ for id_, count in counts.items() if count > 1]:
        raise ValueError(f"two have the id {twice[0]!r}; change one")
    return items


class AccountDocument(Account):
    """An account in a file, with all that belongs to it."""

    id: AccountId
    actions: Annotated[list[ActionDocument], AfterValidator(_distinct_ids)] = Field(
        default_factory=list
    )
    numbers: Annotated[dict[PhoneNumber, Routing], BeforeValidator(_written_once)] = Field(
        default_factory=dict
    )
    pools: dict[Id, PoolRouting] = Field(default_factory=dict)
    ad_groups: dict[Id, PoolRouting] = Field(default_factory=dict)


class Document(Shape):
    """What `pca apply` reads and `pca export` writes."""

    accounts: Annotated[list[AccountDocument], AfterValidator(_distinct_ids)]


def account_to_avro(account: Account, account_id: str, version: int) -> Record:
    """The Account record; also from the larger `AccountDocument`."""
    fields = {name: getattr(account, name) for name in Account.model_fields}
    return fields | {"account_id": account_id, "version": version}


def config_key(account_id: str, kind: Literal["account", "action"] | Kind, id_: str) -> bytes:
    """The key of a record on `pca.config`: account/kind/id."""
    return f"{account_id}/{kind}/{id_}".encode()


def action_key(account_id: str, action_id: str) -> str:
    """What dispatches are keyed by, and whose turn it is: accounts choose their actions' ids."""
    return f"{account_id}/{action_id}"

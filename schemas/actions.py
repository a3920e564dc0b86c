"""A Post Call Action as JSON and YAML, and the rules that its fields obey together."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from schemas.analytics import GoogleAnalytics
from schemas.blocks import CAKE, LEADFLOW, SOURCETRAK
from schemas.call import Shape
from schemas.conditions import Conditions
from schemas.headers import ContentType, Header
from schemas.parameters import Parameter, repeated
from schemas.refusals import Refusals
from schemas.released import Record
from schemas.signing import PER_KIND, SigningSecret, check_signing_secrets
from schemas.targets import TargetUrl, has_user, static_names
from schemas.templates import Template
from schemas.tls import Tls

Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Scope = Literal["all_calls", "configured_numbers_only"]

MAX_IN_FLIGHT = (1, 1000)
"""Requests under way at once: least and greatest."""
RATE_LIMIT = (0.01, 10_000.0)
"""Requests started a second: least and greatest."""
_SENT_BY = {
    "include_sourcetrak": frozenset(p.id for p in SOURCETRAK.parameters),
    "include_leadflow": frozenset(p.id for p in (*LEADFLOW.parameters, *CAKE.parameters)),
}
"""The names that each block sends besides."""
_OF_CALL_DETAIL = ("body", "template", "content_type", "headers", "signing_secrets", "tls")
"""What Google Analytics has no use for."""


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
    template: Template | None = None
    content_type: ContentType | None = None
    headers: Annotated[list[Header], Field(max_length=50)] = Field(default_factory=list)
    conditions: Conditions | None = None
    google_analytics: GoogleAnalytics | None = None
    max_in_flight: Annotated[int, Field(ge=MAX_IN_FLIGHT[0], le=MAX_IN_FLIGHT[1])] | None = None
    """Requests under way at once; the dispatcher's own cap where left out."""
    rate_limit: Annotated[float, Field(ge=RATE_LIMIT[0], le=RATE_LIMIT[1])] | None = None
    """Requests started a second, at most."""
    signing_secrets: Annotated[list[SigningSecret], Field(max_length=2 * PER_KIND)] = Field(
        default_factory=list
    )
    """The newest first; each signs."""
    tls: Tls | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        refusals = Refusals()
        if self.option == "google_analytics":
            self._check_google_analytics(refusals)
        else:
            self._check_call_detail(refusals)
            self._check_names(refusals)
            self._check_body(refusals)
            self._check_headers(refusals)
            self._check_tls(refusals)
            check_signing_secrets(self.signing_secrets, refusals)
        refusals.settle("Action")
        return self

    def _check_google_analytics(self, refusals: Refusals) -> None:
        if self.google_analytics is None:
            refusals.add(
                ("google_analytics",), "is missing: option google_analytics needs it", None
            )
        replaced = [
            name
            for name in type(self).model_fields
            if name in ("target_url", "method", "parameters") and name in self.model_fields_set
        ]
        # These are only refused where they ask for something: what was read may be sent back.
        replaced += [
            name for name in (*_SENT_BY, *_OF_CALL_DETAIL) if getattr(self, name) != _default(name)
        ]
        for name in replaced:
            refusals.add(
                (name,),
                "belongs to option call_detail, google_analytics has its own settings; leave it"
                " out",
                _shown(getattr(self, name)),
            )

    def _check_call_detail(self, refusals: Refusals) -> None:
        if self.target_url is None:
            refusals.add(("target_url",), "is missing: option call_detail needs it", None)
        if self.google_analytics is not None:
            refusals.add(
                ("google_analytics",),
                "belongs to option google_analytics; leave it out",
                _shown(self.google_analytics),
            )

    def _check_names(self, refusals: Refusals) -> None:
        """D30, D31."""
        names = [parameter.name for parameter in self.parameters]
        for index, name in repeated(names):
            refusals.add(
                ("parameters", index, "name"), "is the name of another one too; rename one", name
            )
        static = static_names(self.target_url or "")
        for index, name in enumerate(names):
            path = ("parameters", index, "name")
            if name in static:
                refusals.add(
                    path, "is the name of a static parameter in target_url too; rename one", name
                )
            for block, sent in _SENT_BY.items():
                # A JSON body holds each block as an object of that name.
                in_json = self.body == "json" and name == block.removeprefix("include_")
                if getattr(self, block) and (name in sent or in_json):
                    refusals.add(
                        path, f"is sent by {block} too; rename it, or leave {block} out", name
                    )

    def _check_body(self, refusals: Refusals) -> None:
        if self.body != "form" and self.method == "GET":
            refusals.add(
                ("body",),
                "needs a method that has one; allowed with POST or PUT",
                self.body,
            )
        if self.body == "template":
            for field in ("template", "content_type"):
                if not getattr(self, field):
                    refusals.add((field,), "is missing: body 'template' needs it", None)
            for field in ("parameters", *_SENT_BY):
                if given := getattr(self, field):
                    refusals.add(
                        (field,),
                        "has no place in body 'template'; write {{sid}} or the like into template"
                        " and leave it out",
                        _shown(given),
                    )
            return
        for field in ("template", "content_type"):
            if getattr(self, field) is not None:
                reason = f"belongs to body 'template', not {self.body!r}; leave it out"
                refusals.add((field,), reason, getattr(self, field))

    def _check_headers(self, refusals: Refusals) -> None:
        """Names are compared without regard to case, as HTTP does (RFC 9110)."""
        names = [header.name.lower() for header in self.headers]
        for index, _ in repeated(names):
            given = self.headers[index].name
            refusals.add(("headers", index, "name"), "stands here twice; remove one", given)
        authorized = has_user(self.target_url or "")
        for index, name in enumerate(names):
            given = self.headers[index].name
            if name == "content-type" and self.method != "GET":
                refusals.add(
                    ("headers", index, "name"),
                    "is decided by the body; leave it out, or use body 'template' and content_type",
                    given,
                )
            if name == "authorization" and authorized:
                refusals.add(
                    ("headers", index, "name"),
                    "is made of the user in target_url already; leave out one of them",
                    given,
                )

    def _check_tls(self, refusals: Refusals) -> None:
        if self.tls and (self.target_url or "").lower().startswith("http://"):
            reason = (
                "has no effect: target_url starts with http://; leave it out, or write https://"
            )
            refusals.add(("tls",), reason, None)

    def to_avro(self, action_id: str, version: int) -> Record:
        """The Action record."""
        return self.model_dump(exclude_none=True) | {"action_id": action_id, "version": version}


def _default(name: str) -> Any:
    return Action.model_fields[name].get_default(call_default_factory=True)


def _shown(value: Any) -> Any:
    """What was given, as JSON has it."""
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value.model_dump() if isinstance(value, BaseModel) else value

"""What the API answers and takes, for `/openapi.json`: shapes with id and version, and examples."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from schemas.configuration import Account, Action, PoolRouting

T = TypeVar("T")

Id = Annotated[str, Field(description="In lists, what `after` takes.")]
Version = Annotated[
    int,
    Field(description="The account's configuration version when this last changed; for If-Match."),
]

ACCOUNT_EXAMPLE: dict[str, Any] = {
    "name": "Acme",
    "reverse_lookup_enabled": True,
    "sourcetrak_enabled": True,
    "leadflow_enabled": False,
}
ACTION_EXAMPLE: dict[str, Any] = {
    "name": "CRM",
    "active": True,
    "scope": "all_calls",
    "option": "call_detail",
    "target_url": "https://example.com/sub-folder/handler?client_id=1234",
    "method": "GET",
    "parameters": [
        {"name": "from", "placeholder": "caller_id"},
        {"name": "mins", "placeholder": "talk_minutes"},
    ],
}
ROUTING_EXAMPLE: dict[str, Any] = {"send": "account_wide", "label": "Yellow pages"}
DOCUMENT_EXAMPLE: dict[str, Any] = {
    "accounts": [
        {
            "id": "acme",
            **ACCOUNT_EXAMPLE,
            "actions": [{"id": "crm", **ACTION_EXAMPLE}],
            "numbers": {"+18005550100": {"send": "specific", "action_id": "crm"}},
            "pools": {"p-9": {"send": "none"}},
            "ad_groups": {"ag-1": {"send": "inherit"}},
        }
    ]
}


class AccountAnswer(Account):
    """An account as it is stored."""

    id: Id
    version: Version


class ActionAnswer(Action):
    """A Post Call Action as it is stored, secrets masked as `***`."""

    id: Id
    version: Version


class RoutingAnswer(PoolRouting):
    """What a number, pool or ad group triggers."""

    id: Id
    version: Version


class Page(BaseModel, Generic[T]):
    """A part of a list, in the order of ids."""

    items: list[T]
    next: str | None = Field(description="Give it as `after` for what follows; null at the end.")


class PlaceholderAnswer(BaseModel):
    """A call detail that a dynamic parameter can hold."""

    id: str = Field(examples=["caller_id"])
    label: str = Field(examples=["Caller ID"])
    group: str = Field(examples=["Call"])
    available: str = Field(
        description="When a call has a value for it; otherwise it is empty.", examples=["always"]
    )


class FieldChange(BaseModel):
    """One setting that differs; secrets are masked."""

    field: str
    before: Any
    after: Any


class ChangeAnswer(BaseModel):
    """One thing that apply changes; `fields` are listed for updates only."""

    change: Literal["created", "updated", "deleted"]
    path: str = Field(
        description="Its key on the topic pca.config.", examples=["acme/number/+18005550100"]
    )
    account: str
    kind: Literal["account", "action", "number", "pool", "ad_group"]
    id: str
    fields: list[FieldChange]


class Counts(BaseModel):
    """How many things are affected."""

    created: int
    updated: int
    deleted: int
    unchanged: int


class OutcomeAnswer(BaseModel):
    """What apply did, or what it would do."""

    counts: Counts
    changes: list[ChangeAnswer]


class RequestAnswer(BaseModel):
    """A request over HTTP, secrets masked as `***`."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None = Field(description="Null for a request that has none.")


class PreviewAnswer(BaseModel):
    """What an action would send."""

    request: RequestAnswer | None = Field(
        description="Null when none can be made; `error` says why."
    )
    error: str = Field(description="As on a delivery attempt; empty for none.")
    detail: str
    warnings: list[str]


class TestAnswer(BaseModel):
    """What came of sending an action's request once."""

    request: RequestAnswer | None
    status: int | None = Field(description="Null when no answer came.")
    headers: dict[str, str]
    body: str = Field(description="The first 4 KiB.")
    duration_ms: float
    error: str = Field(
        description="As on a delivery attempt; empty when it was a delivery.",
        examples=["timeout"],
    )
    detail: str
    validation_messages: list[Any] | None = Field(
        description="What Google Analytics finds wrong with the event; empty when all is well,"
        " null when it did not say."
    )


class RotationAnswer(BaseModel):
    """A new signing secret; it is not shown again."""

    version: Version
    secret: str | None = Field(
        description="What verifies `v1` signatures; null for `ed25519`.",
        examples=["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="],
    )
    public_key: str | None = Field(
        description="What verifies `v1a` signatures; null for `hmac`.",
        examples=["whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="],
    )


class RepublishAnswer(BaseModel):
    """How many records were put into the outbox."""

    account: int
    action: int
    number: int
    pool: int
    ad_group: int
    tombstones: int
    sealed: int = Field(
        description="Of the actions, those with secrets under a key that is not in"
        " PCA_SECRET_KEYS. They are written as they are; the log says which."
    )

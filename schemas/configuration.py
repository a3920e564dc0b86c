"""The configuration as JSON and YAML: accounts, what numbers trigger, and whole documents.

Post Call Actions have a file of their own. What is checked here and there is checked for the API,
for `pca apply` and for pages alike, when something is saved; what is stored already is read without
asking again. Every message says what is wrong and what is allowed, at the path of its field.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from schemas.actions import Action, Name
from schemas.analytics import GoogleAnalytics
from schemas.call import AccountId, Shape
from schemas.conditions import Conditions
from schemas.headers import Header
from schemas.numbers import e164
from schemas.parameters import Parameter, repeated
from schemas.refusals import Refusals
from schemas.released import Record

__all__ = [
    "ROUTING_SHAPES",
    "Account",
    "AccountDocument",
    "Action",
    "ActionDocument",
    "Conditions",
    "Document",
    "GoogleAnalytics",
    "Header",
    "Parameter",
    "PoolRouting",
    "Routing",
    "account_to_avro",
    "action_key",
    "config_key",
]

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$")]
Kind = Literal["number", "pool", "ad_group"]


def _number(number: str) -> str:
    normal = e164(number)
    if not normal:
        raise ValueError("is no telephone number; write it as +18005550100")
    return normal


PhoneNumber = Annotated[str, AfterValidator(_number)]
"""Any way to write a telephone number; becomes E.164."""


class Account(Shape):
    """An account and what is enabled for it."""

    name: Name
    reverse_lookup_enabled: bool = False
    sourcetrak_enabled: bool = False
    leadflow_enabled: bool = False


class Routing(Shape):
    """ "Send Post Call Data for": what calls to a number trigger, and the number's Phone Label."""

    send: Literal["account_wide", "specific", "none"] = "account_wide"
    action_id: Id | None = None
    label: (
        Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] | None
    ) = None

    @model_validator(mode="after")
    def _specific_names_its_action(self) -> Self:
        refusals = Refusals()
        if self.send == "specific" and self.action_id is None:
            refusals.add(("action_id",), "is missing: send 'specific' needs it", None)
        if self.send != "specific" and self.action_id is not None:
            reason = f"belongs to send 'specific', not {self.send!r}; leave it out"
            refusals.add(("action_id",), reason, self.action_id)
        refusals.settle("Routing")
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
        refusals = Refusals()
        spellings: dict[str, str] = {}
        for spelling in filter(e164, (key for key in numbers if isinstance(key, str))):
            first = spellings.setdefault(e164(spelling), spelling)
            if first != spelling:
                refusals.add((spelling,), f"is the same number as {first!r}; remove one", spelling)
        refusals.settle("numbers")
    return numbers


def _distinct_ids(items: list[_Item]) -> list[_Item]:
    refusals = Refusals()
    for index, id_ in repeated(item.id for item in items):
        refusals.add((index, "id"), "is the id of another one too; change one", id_)
    refusals.settle("ids")
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

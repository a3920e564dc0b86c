"""What the configuration consists of: accounts, actions, and routings of three kinds.

All five are handled alike: a key, settings (JSON, without what is not set), a version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from schemas.configuration import (
    Account,
    AccountDocument,
    Action,
    Routing,
    account_to_avro,
    config_key,
)
from schemas.released import Record

Kind = Literal["account", "action", "number", "pool", "ad_group"]
RoutingKind = Literal["number", "pool", "ad_group"]
Settings = dict[str, Any]
Key = tuple[Kind, str]
"""Within an account; the account itself is `("account", its id)`."""

KINDS: tuple[Kind, ...] = ("account", "action", "number", "pool", "ad_group")
"""In the order in which a plan lists them."""
RECORDS: dict[Kind, str] = {
    "account": "Account",
    "action": "Action",
    "number": "Routing",
    "pool": "Routing",
    "ad_group": "Routing",
}
"""The Avro record of each."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One of them as it is stored."""

    settings: Settings
    version: int


State = dict[Key, Entity]
"""Everything in one account."""


def account_settings(account: Account) -> Settings:
    """Also from the larger `AccountDocument`."""
    return {name: getattr(account, name) for name in Account.model_fields}


def action_settings(action: Action) -> Settings:
    """What is stored of an action; what its option replaces is left out, as it was when given."""
    settings = action.model_dump(exclude_none=True, exclude={"id"})
    if action.option == "google_analytics":
        del settings["method"], settings["parameters"]
    if not action.signing_secrets:  # what was stored before there were any has none either
        del settings["signing_secrets"]
    return settings


def routing_settings(routing: Routing) -> Settings:
    """An empty label is none."""
    settings: Settings = {"send": routing.send}
    if routing.action_id:
        settings["action_id"] = routing.action_id
    if routing.label:
        settings["label"] = routing.label
    return settings


def document_settings(document: AccountDocument) -> dict[Key, Settings]:
    """Everything that a document says of one account."""
    wanted: dict[Key, Settings] = {("account", document.id): account_settings(document)}
    for action in document.actions:
        wanted["action", action.id] = action_settings(action)
    for number, routing in document.numbers.items():
        wanted["number", number] = routing_settings(routing)
    for pool, routing in document.pools.items():
        wanted["pool", pool] = routing_settings(routing)
    for ad_group, routing in document.ad_groups.items():
        wanted["ad_group", ad_group] = routing_settings(routing)
    return wanted


def avro_record(account_id: str, key: Key, settings: Settings, version: int) -> Record:
    """The record of `RECORDS[kind]`; fields left out have the schema's defaults.

    The settings were valid when they were saved; they are published although a later release may
    have become stricter.
    """
    kind, id_ = key
    if kind == "account":
        return account_to_avro(Account.model_construct(**settings), account_id, version)
    if kind == "action":
        return settings | {"action_id": id_, "version": version}
    return Routing.model_construct(**settings).to_avro()


def topic_key(account_id: str, key: Key) -> bytes:
    """Where the entity lies on `pca.config`."""
    return config_key(account_id, *key)

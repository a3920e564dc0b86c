"""Target URLs judged when they are saved, by the guard that judges them when they are called.

Addresses, names that mean the same on every machine, and ports; no name is looked up: what it
stands for today says nothing of tomorrow, and is judged at each connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from dispatcher.guard import Guard
from dispatcher.request import Unsendable
from dispatcher.target import target
from schemas.configuration import Action, Document
from streaming.problems import SHOWN_CHARACTERS, invalid, without_userinfo

_PORTS = {"http": 80, "https": 443}


def _guard(request: Request) -> Guard:
    settings = request.app.state.settings
    return Guard(settings.dispatcher_allow_networks, settings.dispatcher_allow_ports)


Egress = Annotated[Guard, Depends(_guard)]
"""The guard that the dispatcher's settings make."""


def check_action(guard: Guard, action: Action) -> None:
    """Raises `Problem` 422 where the guard would not let its requests out."""
    if faults := list(_faults(guard, action)):
        raise invalid(faults)


def check_document(guard: Guard, document: Document) -> None:
    """As `check_action`, for every action of the document at once."""
    faults = [
        fault
        for index, account in enumerate(document.accounts)
        for position, action in enumerate(account.actions)
        for fault in _faults(guard, action, f"accounts[{index}].actions[{position}].")
    ]
    if faults:
        raise invalid(faults)


def _faults(guard: Guard, action: Action, path: str = "") -> Iterator[dict[str, str]]:
    if action.target_url is None:  # Google Analytics has its address from a setting
        return
    refusal = _refusal(guard, action.target_url)
    if refusal is not None:
        given = without_userinfo(action.target_url)[:SHOWN_CHARACTERS]
        yield {"path": f"{path}target_url", "reason": refusal, "given": given}


def _refusal(guard: Guard, url: str) -> str | None:
    try:
        parts = urlsplit(target(url).url)  # what would be called, its host in ASCII
    except Unsendable as unsendable:
        return str(unsendable)
    return guard.check(parts.hostname or "", parts.port or _PORTS[parts.scheme])

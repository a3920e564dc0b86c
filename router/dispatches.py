"""From a call to its dispatches: what was decided, and their bytes."""

from __future__ import annotations

from router.calls import RoutedCall
from router.configuration import Account
from router.parts import CallPart
from router.resolve import Resolution, Setting, resolve


def dispatches(
    call: RoutedCall,
    account: Account,
    number: Setting | None,
    routing: bytes,
    header: bytes = b"",
) -> tuple[Resolution, list[tuple[str, bytes]]]:
    """What was decided for a call, and (key, Dispatch behind `header`) for what runs.

    `account` is a known one; `number` what the called number says; `routing` a `routing_part`.
    Raises `Undecodable` for a call that conditions look at, and that cannot be read.
    """
    resolution = resolve(call, account, number)
    made: list[tuple[str, bytes]] = []
    if resolution.running:
        assert account.part is not None
        part = CallPart(call, account.part, routing, resolution.label)
        for action in resolution.running:
            made.append((action.key, part.dispatch(header, action)))  # noqa: PERF401
    return resolution, made

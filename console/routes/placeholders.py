"""`/v1/placeholders`: what a drop-down of dynamic parameters offers."""

from __future__ import annotations

from console.answers import PlaceholderAnswer
from console.routes.requests import router
from schemas.placeholders import PLACEHOLDERS

routes = router("Placeholders")


@routes.get("/placeholders")
async def list_placeholders() -> list[PlaceholderAnswer]:
    """The call details that a dynamic parameter can hold, in the product document's order."""
    return [
        PlaceholderAnswer(id=p.id, label=p.label, group=p.group, available=p.available)
        for p in PLACEHOLDERS.values()
    ]

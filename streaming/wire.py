"""The codec that the settings ask for."""

from __future__ import annotations

from schemas.codec import Codec
from schemas.registry import ConfluentRegistry
from streaming.settings import Settings


def codec(settings: Settings) -> Codec:
    """Single-object encoding, or Confluent's format where a registry is set."""
    if settings.schema_registry_url is None:
        return Codec()
    registry = ConfluentRegistry(settings.schema_registry_url)
    return Codec(registry, write_confluent=settings.schema_registry_write)

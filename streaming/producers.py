"""Which producer a stage gets."""

from __future__ import annotations

import logging

from streaming.batch_producer import BatchProducer
from streaming.producer import Producer, without_consumer_properties
from streaming.settings import Settings
from streaming.topics import Topics

log = logging.getLogger(__name__)

_UNDERSTOOD = frozenset({
    "bootstrap.servers", "client.rack", "debug", "log_level", "metadata.max.age.ms",
    "reconnect.backoff.max.ms", "reconnect.backoff.ms", "statistics.interval.ms",
    "topic.metadata.refresh.interval.ms",
})  # fmt: skip
"""Properties that change nothing in how records are written."""


def producer_for(
    settings: Settings, client_id: str, topics: Topics, linger: float | None = None
) -> Producer:
    """The quickest that does what librdkafka's properties ask for: whoever wants TLS, a login, or
    records written in some way of his own gets librdkafka. `linger` as for `BatchProducer`."""
    asked = without_consumer_properties(settings.kafka)
    others = sorted(asked.keys() - _UNDERSTOOD)
    if "security.protocol" in others and str(asked["security.protocol"]).lower() == "plaintext":
        others.remove("security.protocol")
    if others:
        log.info("written by librdkafka, which takes more CPU", extra={"for": ", ".join(others)})
        return Producer(settings, client_id, linger=linger or 0.0)
    return BatchProducer(settings, client_id, topics, linger)

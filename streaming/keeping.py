"""Keeping a record that cannot be done: as it came, with the reason in its headers."""

from __future__ import annotations

from confluent_kafka import Message

from streaming.acks import Acks
from streaming.producer import Headers, Producer

CUT = 64 * 1024
"""Bytes that are kept of a key or a value which is too large to be kept whole."""


def keep(
    producer: Producer,
    topic: str,
    message: Message,
    acks: Acks,
    *,
    reason: str,
    detail: str,
    limit: int,
) -> None:
    """Write the raw record to `topic`, telling where it lay and why it is kept.

    A value of more than `limit` bytes, which the topic would not take, is cut, with its size in the
    headers: the broker's own limit is on what is compressed, so a foreign producer may pass it.
    So is a key of more than `CUT` bytes.
    """
    headers: Headers = [
        ("reason", reason),
        ("detail", detail[:2000]),
        ("topic", message.topic()),
        ("partition", str(message.partition())),
        ("offset", str(message.offset())),
    ]
    key, value = message.key(), message.value()
    if key is not None and len(key) > CUT:
        headers.append(("truncated-key", str(len(key))))
        key = key[:CUT]
    if value is not None and len(value) > limit:
        headers.append(("truncated", str(len(value))))
        value = value[:CUT]
    producer.send(topic, key, value, acks, headers=headers)

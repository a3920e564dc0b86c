"""Which of Kafka's errors end a process."""

from __future__ import annotations

from confluent_kafka import KafkaError

_LASTING = frozenset(
    {
        # What librdkafka hands over once it has given up: the error inside does not say "fatal".
        KafkaError._FATAL,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
    }
)


def lasting(error: KafkaError) -> bool:
    """True for an error that only a person or a new process can mend; all others pass in time.

    Not `KafkaError.retriable`: outside transactions librdkafka never sets it.
    """
    return error.fatal() or error.code() in _LASTING

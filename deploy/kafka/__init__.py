"""Apache Kafka on this machine: one broker, no installer."""

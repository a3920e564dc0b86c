"""`python -m deploy.kafka`."""

from deploy.kafka.cli import app

app()

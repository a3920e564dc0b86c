"""All settings, read once from `PCA_…` environment variables.

`PCA_KAFKA_…` is handed to librdkafka: `PCA_KAFKA_SECURITY_PROTOCOL=SASL_SSL` sets
`security.protocol`, so TLS, SASL and tuning need no code here. `streaming.producers` says what else
they decide.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas.sealing import HOW_TO_MAKE_A_KEY, is_key, new_key

_KAFKA_PREFIX = "PCA_KAFKA_"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]+)(ms|s|m|h|d)")

Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and the mend."""


def seconds(duration: str) -> float:
    """`"5s"` → 5.0, `"1m"` → 60.0; also ms, h, d. Raises ValueError."""
    match = _DURATION.fullmatch(duration)
    if not match:
        raise ValueError(f"{duration!r} is no duration; write a number and ms, s, m, h or d: 30m")
    return int(match[1]) * _UNITS[match[2]]


def _librdkafka_properties() -> dict[str, str]:
    properties = {
        name.removeprefix(_KAFKA_PREFIX).lower().replace("_", "."): value
        for name, value in os.environ.items()
        if name.startswith(_KAFKA_PREFIX)
    }
    return {"bootstrap.servers": "127.0.0.1:9092"} | properties


class Settings(BaseSettings):
    """One object for every process; each reads what concerns it."""

    model_config = SettingsConfigDict(
        env_prefix="PCA_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    data_dir: Path = Path("data")
    """Where a process may keep files: the SQLite database, the generated keys."""
    topic_prefix: str = "pca."
    """In front of every topic; only tests and shared clusters change it."""
    replication_factor: Annotated[int, Field(ge=1)] = 3
    """Of topics that are created; 1 is for a local broker."""
    calls_partitions: Annotated[int, Field(ge=1)] = 12
    dispatch_partitions: Annotated[int, Field(ge=1)] = 12
    schema_registry_url: str | None = None
    """Write Confluent's wire format against this registry."""
    schema_registry_write: bool = True
    """With a registry set: False still writes single-object encoding, and reads both."""
    commit_interval: Annotated[float, Field(gt=0)] = 0.25
    """Seconds between commits of consumed offsets: what a crash may repeat."""
    stop_deadline: Annotated[float, Field(gt=0)] = 25.0
    """Seconds that SIGTERM leaves to finish what is in hand."""
    log_level: str = "INFO"

    producer_port: Port = 8080
    producer_max_body_bytes: int = 8 * 1024 * 1024
    producer_max_queued: int = 50_000
    """Calls that may wait for the broker's word before the gateway answers 503."""
    producer_timeout: float = 5.0
    """Seconds until a call that Kafka did not take is answered with 503."""
    producer_url: str = "http://127.0.0.1:8080"

    console_port: Port = 8081
    console_url: str = "http://127.0.0.1:8081"
    database_url: str | None = None
    """SQLAlchemy URL; a SQLite file in the data folder where unset."""
    admin_key: str | None = None
    """The bearer key that may do everything; generated into the data folder where unset."""
    secret_keys: Annotated[tuple[str, ...], NoDecode] = Field(default=(), repr=False)
    """Fernet keys under which the secrets of actions are sealed: the first seals, all open. One is
    generated into the data folder where unset."""
    api_key: str | None = None
    """What the `pca` command signs in with; the admin key of the data folder where unset."""
    bind: str = "127.0.0.1"
    """The address that HTTP servers listen on; 0.0.0.0 in a container."""

    router_metrics_port: Port = 9101
    dispatcher_metrics_port: Port = 9102
    dispatcher_retry_schedule: Annotated[tuple[str, ...], NoDecode] = (
        "5s", "1m", "5m", "30m", "2h", "5h", "10h",
    )  # fmt: skip
    """Delays after the first, second, … failed attempt; after the last the dispatch is dead."""
    dispatcher_in_flight: Annotated[int, Field(ge=4)] = 2000
    """Requests under way in one process."""
    dispatcher_in_flight_per_action: Annotated[int, Field(ge=1)] = 16
    """Of them, for an action that sets no `max_in_flight` of its own."""
    dispatcher_idle_connections: Annotated[int, Field(ge=1)] = 10_000
    """Connections kept for the next request to their origin, in one process; half a minute each."""
    dispatcher_deadline: Annotated[float, Field(gt=0)] = 15.0
    """Seconds for one attempt: look-up, connect, TLS, headers and body together."""
    dispatcher_max_response_bytes: int = 64 * 1024
    dispatcher_allow_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """CIDRs that the egress guard lets through though they are not public."""
    dispatcher_allow_ports: Annotated[tuple[Port, ...], NoDecode] = ()
    """The only ports that requests may go to; any where empty."""
    dispatcher_transport: Literal["native", "aiohttp"] = "native"
    """Our own HTTP/1.1, or the reference that it is compared with."""
    dispatcher_dns_timeout: Annotated[float, Field(gt=0)] = 5.0
    """Seconds for a look-up, within the deadline."""
    dispatcher_pause_after: str = "5d"
    """How long an endpoint may fail, and do nothing else, before its action is paused."""

    google_analytics_url: str = "https://www.google-analytics.com"
    """Where events of the Google Analytics option are sent; the dispatcher and test-sends read it.
    The egress guard judges it as any other."""

    kafka: Annotated[
        dict[str, str], Field(default_factory=_librdkafka_properties, validate_default=True)
    ]
    """librdkafka properties, from `PCA_KAFKA_…`."""

    @field_validator(
        "dispatcher_retry_schedule",
        "dispatcher_allow_networks",
        "dispatcher_allow_ports",
        "secret_keys",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("dispatcher_retry_schedule")
    @classmethod
    def _are_durations(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("at least one delay is needed: what cannot go now waits there too")
        for delay in value:
            if not seconds(delay):
                raise ValueError(f"{delay} is no delay: it would be tried again without a pause")
        return value

    @field_validator("kafka")
    @classmethod
    def _knocks_again_soon(cls, value: dict[str, str]) -> dict[str, str]:
        # librdkafka would wait up to 10 s before it knocks again at a broker that was away. Longer
        # than a rebalance waits (`REVOKE_DRAIN`), and what is in hand meanwhile is done twice.
        return {"reconnect.backoff.max.ms": "500"} | value

    @field_validator("dispatcher_pause_after")
    @classmethod
    def _is_a_duration(cls, value: str) -> str:
        seconds(value)
        return value

    @field_validator("secret_keys")
    @classmethod
    def _are_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for number, key in enumerate(value, 1):
            if not is_key(key):
                raise ValueError(
                    f"number {number} is no Fernet key; make one with: {HOW_TO_MAKE_A_KEY}"
                )
        return value

    @field_validator("google_analytics_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", value):
            raise ValueError("write it as https://www.google-analytics.com")
        return value.rstrip("/")

    @property
    def bootstrap(self) -> str:
        """Where Kafka is: `host:port,…`."""
        return self.kafka["bootstrap.servers"]

    @property
    def sqlalchemy_url(self) -> str:
        """The console's database."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'console.db'}"

    def required_admin_key(self) -> str:
        """The admin key: from the setting, else the data folder's, generated when there is none."""
        return self.admin_key or self._kept("admin.key", lambda: secrets.token_urlsafe(32))

    def required_secret_keys(self) -> tuple[str, ...]:
        """The keys of secrets: from the setting, else the data folder's, where further ones may
        stand below the first. Raises `SettingsError` for a folder or file that cannot be used."""
        if self.secret_keys:
            return self.secret_keys
        path = self.data_dir / "secret.key"
        try:
            keys = tuple(self._kept("secret.key", new_key).replace(",", " ").split())
        except OSError as error:
            raise SettingsError(
                f"PCA_SECRET_KEYS is not set, and {path}: {error.strerror}"
            ) from error
        if not keys or not all(map(is_key, keys)):
            raise SettingsError(
                f"PCA_SECRET_KEYS is not set, and {path} holds what is no Fernet key; restore it,"
                f" or make one with: {HOW_TO_MAKE_A_KEY}"
            )
        return keys

    def _kept(self, name: str, make: Callable[[], str]) -> str:
        """What a file of the data folder holds; made, for the owner's eyes only, if it is not
        there."""
        path = self.data_dir / name
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            # Written first and named after: a process that comes second must not read half a key.
            descriptor, written = tempfile.mkstemp(dir=self.data_dir)  # of mode 0600
            with os.fdopen(descriptor, "w") as file:
                file.write(make() + "\n")
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(written)
            Path(written).unlink()
        return path.read_text().strip()


def load(**overrides: Any) -> Settings:
    """The settings of this process. Raises `SettingsError` naming each unusable variable."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        faults = "; ".join(
            f"PCA_{str(fault['loc'][0]).upper() if fault['loc'] else '…'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise SettingsError(faults) from error


_READ_ELSEWHERE = frozenset({"PCA_CACHE_DIR"})  # by `deploy`, which knows no settings


def unknown() -> list[str]:
    """PCA_… variables that are no setting: most likely misspelt, and without effect."""
    known = {f"PCA_{name.upper()}" for name in Settings.model_fields} | _READ_ELSEWHERE
    return sorted(
        name
        for name in os.environ
        if name.startswith("PCA_") and not name.startswith(_KAFKA_PREFIX) and name not in known
    )

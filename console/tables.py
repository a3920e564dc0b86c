"""The console's tables. `migrations/` makes them; a test proves that both agree."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ID = String(64)


class Base(DeclarativeBase):
    """Constraints are named by rule, so that a migration can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class AccountVersion(Base):
    """How far the configuration of an account has counted.

    The row outlives its account, so that one created anew continues above every version it ever
    had. It is also what a transaction locks to be the only one that changes the account.
    """

    __tablename__ = "account_versions"

    account_id: Mapped[str] = mapped_column(ID, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)


class AccountRow(Base):
    """An account. `version` is that of its whole configuration, as in `account_versions`."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(200))
    reverse_lookup_enabled: Mapped[bool]
    sourcetrak_enabled: Mapped[bool]
    leadflow_enabled: Mapped[bool]


class ActionRow(Base):
    """A Post Call Action; `body` is its JSON, its secrets sealed, without what is not set.

    `version` here and below: the configuration's when this row last changed.
    """

    __tablename__ = "actions"

    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class RoutingRow(Base):
    """What a number, pool or ad group triggers; `kind` says which of the three `id` is.

    `action_id` is no foreign key: a specific action may be deleted by force, and then nothing runs
    (D3), which is not the same as having no setting.
    """

    __tablename__ = "routings"
    __table_args__ = (
        Index(
            "ix_routings_action_id",
            "account_id",
            "action_id",
            postgresql_where=text("action_id IS NOT NULL"),
            sqlite_where=text("action_id IS NOT NULL"),
        ),
    )

    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    send: Mapped[str] = mapped_column(String(16))
    action_id: Mapped[str | None] = mapped_column(ID)
    label: Mapped[str | None] = mapped_column(Text)


class OutboxRow(Base):
    """A change that is saved and not yet in Kafka.

    `value` is the Avro record as JSON, secrets sealed, null for a tombstone: it is encoded when it
    is published, in the wire format that is set then. `partition`: the account's where it is null.
    """

    __tablename__ = "outbox"
    __table_args__ = ({"sqlite_autoincrement": True},)

    sequence: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    account_id: Mapped[str] = mapped_column(Text)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    value: Mapped[bytes | None] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(BigInteger)
    partition: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.current_timestamp()
    )

"""Accounts, actions, routings and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "account_versions",
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_account_versions"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("reverse_lookup_enabled", sa.Boolean, nullable=False),
        sa.Column("sourcetrak_enabled", sa.Boolean, nullable=False),
        sa.Column("leadflow_enabled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )
    op.create_table(
        "actions",
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_actions"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_actions_account_id_accounts",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "routings",
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("send", sa.String(16), nullable=False),
        sa.Column("action_id", sa.String(64)),
        sa.Column("label", sa.Text),
        sa.PrimaryKeyConstraint("account_id", "kind", "id", name="pk_routings"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name="fk_routings_account_id_accounts",
            ondelete="CASCADE",
        ),
    )
    set_only = sa.text("action_id IS NOT NULL")
    op.create_index(
        "ix_routings_action_id",
        "routings",
        ["account_id", "action_id"],
        postgresql_where=set_only,
        sqlite_where=set_only,
    )
    op.create_table(
        "outbox",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("value", sa.LargeBinary),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("partition", sa.Integer),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.current_timestamp(),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("sequence", name="pk_outbox"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop them, and all that is in them."""
    for table in ("outbox", "routings", "actions", "accounts", "account_versions"):
        op.drop_table(table)

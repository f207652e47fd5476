"""What is owed to the edges: the outbox and its tiers.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "edge_outbox",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("tier", sa.String(60), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("url", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("tag", sa.String(64), nullable=False, server_default=sa.text("''")),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("blame", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("claimed_by", sa.String(32), nullable=False, server_default=sa.text("''")),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("enqueued_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("settled_at", sa.BigInteger()),
        sa.Column("cause", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("last_error", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("id", name="pk_edge_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_edge_outbox_tier", "edge_outbox", ["tier", "state", "due_at"])
    op.create_index("ix_edge_outbox_kind_url", "edge_outbox", ["kind", "url"])
    op.create_table(
        "edge_tier",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("breaker", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("resume_at", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("last_success", sa.BigInteger()),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("level_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_edge_tier"),
    )


def downgrade() -> None:
    op.drop_table("edge_tier")
    op.drop_table("edge_outbox")

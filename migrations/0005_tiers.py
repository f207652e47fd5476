"""Edges in front as tiers: where they stand, and what a page may have lost, what was stale.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-22
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "edge_outbox", sa.Column("gone", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("edge_tier", sa.Column("depth", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "edge_tier", sa.Column("flight", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column(
        "edge_tier", sa.Column("seen_at", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_table(
        "edge_sample",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_edge_sample"),
    )


def downgrade() -> None:
    op.drop_table("edge_sample")
    op.drop_column("edge_tier", "seen_at")
    op.drop_column("edge_tier", "flight")
    op.drop_column("edge_tier", "depth")
    op.drop_column("edge_outbox", "gone")

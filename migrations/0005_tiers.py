"""Edges in front as tiers: where they stand, and what a page may have lost.

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


def upgrade() -> None:
    op.add_column(
        "edge_outbox", sa.Column("gone", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("edge_tier", sa.Column("depth", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "edge_tier", sa.Column("flight", sa.BigInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    op.drop_column("edge_tier", "flight")
    op.drop_column("edge_tier", "depth")
    op.drop_column("edge_outbox", "gone")

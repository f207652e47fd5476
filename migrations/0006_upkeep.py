"""The bound of the page index, and when a change was written.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-22
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    aside = sa.Column("aside", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("edge_page", aside)
    aside_only = sa.text("aside")
    op.create_index(
        "ix_edge_page_aside",
        "edge_page",
        ["id", "aside"],
        sqlite_where=aside_only,
        postgresql_where=aside_only,
    )
    op.add_column("edge_change", sa.Column("written_at", sa.BigInteger()))
    op.add_column("edge_outbox", sa.Column("written_at", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("edge_outbox", "written_at")
    op.drop_column("edge_change", "written_at")
    op.drop_index("ix_edge_page_aside", "edge_page")
    op.drop_column("edge_page", "aside")

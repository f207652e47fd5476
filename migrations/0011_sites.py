"""The site that a page was registered under, beside its path, and who relays to each tier.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("edge_page", "edge_outbox"):
        empty = sa.text("''")
        op.add_column(table, sa.Column("site", sa.Text(), nullable=False, server_default=empty))
    for name, kind, empty in (
        ("relayed_at", sa.BigInteger(), "0"),
        ("relayed_by", sa.String(80), sa.text("''")),
    ):
        op.add_column("edge_tier", sa.Column(name, kind, nullable=False, server_default=empty))


def downgrade() -> None:
    for name in ("relayed_by", "relayed_at"):
        op.drop_column("edge_tier", name)
    for table in ("edge_outbox", "edge_page"):
        op.drop_column(table, "site")

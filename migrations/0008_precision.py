"""How often a page was made anew after a purge, and how often that gave the same bytes.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind, empty in (
        ("purged", sa.Boolean(), sa.false()),
        ("renewed", sa.Integer(), sa.text("0")),
        ("unchanged", sa.Integer(), sa.text("0")),
    ):
        op.add_column("edge_page", sa.Column(name, kind, nullable=False, server_default=empty))


def downgrade() -> None:
    for name in ("unchanged", "renewed", "purged"):
        op.drop_column("edge_page", name)

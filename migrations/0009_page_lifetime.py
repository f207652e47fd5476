"""How long an edge may take a page for fresh: CDNs that bill by URL are not told of brief pages.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

YEAR = "31536000000000"
"""In microseconds: pages that were registered before are purged everywhere."""


def upgrade() -> None:
    column = sa.Column("lifetime", sa.BigInteger(), nullable=False, server_default=sa.text(YEAR))
    op.add_column("edge_page", column)


def downgrade() -> None:
    op.drop_column("edge_page", "lifetime")

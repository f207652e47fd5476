"""The site's setting of slugs: spelt in ASCII, or in the script of the title.

Revision ID: 0025
Revises: 0024
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No batch: rebuilding a table on SQLite would drop its triggers.
    column = sa.Column("slugs", sa.String(10), nullable=False, server_default="ascii")
    op.add_column("site", column)


def downgrade() -> None:
    op.drop_column("site", "slugs")

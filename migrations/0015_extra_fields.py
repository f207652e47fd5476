"""The fields of a post's front matter that have no meaning here, so that an export returns them.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No batch: rebuilding the table on SQLite would drop its triggers.
    column = sa.Column("extra_fields", sa.JSON(), nullable=True)
    op.add_column("post", column)


def downgrade() -> None:
    op.drop_column("post", "extra_fields")

"""The language of each post that is not in the site's, and the site's settings of text.

Revision ID: 0017
Revises: 0016
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_SETTINGS = ("emoji", "smart_punctuation")


def upgrade() -> None:
    # No batch: rebuilding a table on SQLite would drop its triggers.
    op.add_column("post", sa.Column("language", sa.String(35), nullable=True))
    for name in _SETTINGS:
        column = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column("site", column)


def downgrade() -> None:
    for name in _SETTINGS:
        op.drop_column("site", name)
    op.drop_column("post", "language")

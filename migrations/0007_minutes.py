"""How many minutes a post takes to read: a list that shows them is not made anew for a word.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-22
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("post", sa.Column("minutes", sa.Integer(), nullable=False, server_default="1"))
    op.execute("UPDATE post SET minutes = (word_count + 115) / 230 WHERE word_count >= 345")


def downgrade() -> None:
    op.drop_column("post", "minutes")

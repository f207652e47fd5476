"""An import that archives the post of a missing file records it.

Revision ID: 0018
Revises: 0017
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imported", sa.Column("pruned_version", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("imported", "pruned_version")

"""Imported files are known by their paths and their texts.

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imported", sa.Column("path", sa.String(500), nullable=True))
    op.add_column("imported", sa.Column("folder", sa.String(500), nullable=True))
    op.add_column("imported", sa.Column("body_digest", sa.String(64), nullable=True))
    op.create_index("ix_imported_path", "imported", ["path"])
    op.create_index("ix_imported_body_digest", "imported", ["body_digest"])


def downgrade() -> None:
    op.drop_index("ix_imported_body_digest", "imported")
    op.drop_index("ix_imported_path", "imported")
    op.drop_column("imported", "body_digest")
    op.drop_column("imported", "folder")
    op.drop_column("imported", "path")

"""The addresses at which posts were public, so that each of them stays alive.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.database import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "post_address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("public_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["post.id"], name="fk_post_address_post_id_post", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_post_address"),
        sa.UniqueConstraint("path", "post_id", name="uq_post_address_path_post_id"),
    )
    op.create_index("ix_post_address_post_id", "post_address", ["post_id"])
    # Whether a post that is scheduled or a draft was public before is not known: a redirect that
    # nobody needs does no harm, and a lost one does.
    op.execute(
        "INSERT INTO post_address (post_id, path, public_at) "
        "SELECT id, CASE kind WHEN 'article' THEN '/articles/' ELSE '/' END || slug, created_at "
        "FROM post WHERE published_at IS NOT NULL"
    )
    op.execute(
        "INSERT INTO post_address (post_id, path, public_at) "
        "SELECT r.post_id, r.source, r.created_at FROM redirect AS r WHERE r.post_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM post_address AS a "
        "WHERE a.post_id = r.post_id AND a.path = r.source)"
    )


def downgrade() -> None:
    op.drop_table("post_address")

"""The files that posts link to, and the images that imports have fetched from other sites.

Revision ID: 0019
Revises: 0018
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.database import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
        sa.UniqueConstraint("digest", "name", name="uq_attachment_digest_name"),
    )
    op.create_index("ix_attachment_fingerprint", "attachment", ["fingerprint"])
    op.create_table(
        "remote_image",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("media_id", sa.Integer(), nullable=False),
        sa.Column("fetched_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media.id"], name="fk_remote_image_media_id_media", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_remote_image"),
        sa.UniqueConstraint("url", name="uq_remote_image_url"),
    )
    op.create_index("ix_remote_image_media_id", "remote_image", ["media_id"])


def downgrade() -> None:
    op.drop_table("remote_image")
    op.drop_table("attachment")

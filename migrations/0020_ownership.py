"""Whose post it is, and when a post was first published.

Revision ID: 0020
Revises: 0019
Create Date: 2026-11-29
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from app.database import Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

post = sa.table(
    "post",
    sa.column("id"),
    sa.column("status"),
    sa.column("published_at", Instant),
    sa.column("first_published_at", Instant),
)
post_address = sa.table(
    "post_address", sa.column("post_id"), sa.column("public_at", Instant), sa.column("id")
)


def upgrade() -> None:
    op.create_table(
        "ownership",
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["post_id"], ["post.id"], name="fk_ownership_post_id_post", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_ownership_user_id_user", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("post_id", name="pk_ownership"),
    )
    op.create_index("ix_ownership_user_id", "ownership", ["user_id"])
    op.add_column("post", sa.Column("first_published_at", Instant(), nullable=True))
    _fill()


def _fill() -> None:
    """A post was public if it is now, if an address was recorded, or if its date has passed."""
    recorded = (
        sa.select(sa.func.min(post_address.c.public_at))
        .where(post_address.c.post_id == post.c.id)
        .scalar_subquery()
    )
    now = datetime.now(UTC)
    is_past = (post.c.status != "scheduled") & (post.c.published_at <= now)
    dated = sa.case((is_past, post.c.published_at))
    first = sa.func.coalesce(dated, recorded)
    op.execute(post.update().where(first.is_not(None)).values(first_published_at=first))


def downgrade() -> None:
    op.drop_column("post", "first_published_at")
    op.drop_table("ownership")

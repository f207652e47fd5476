"""The identifier of each post in feeds becomes a column, so that it survives every move.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-29
"""

from __future__ import annotations

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op
from flask import current_app

from app.database import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

post = sa.table(
    "post", sa.column("id"), sa.column("feed_id", sa.String), sa.column("created_at", Instant)
)


def upgrade() -> None:
    op.add_column("post", sa.Column("feed_id", sa.String(500), nullable=True))
    connection = op.get_bind()
    # The identifiers that feeds have shown until now: the host, the day, the primary key.
    host = urlsplit(current_app.config["SITE_URL"]).hostname or "localhost"
    for row in connection.execute(sa.select(post.c.id, post.c.created_at)).all():
        feed_id = f"tag:{host},{row.created_at:%Y-%m-%d}:posts/{row.id}"
        connection.execute(post.update().where(post.c.id == row.id).values(feed_id=feed_id))
    op.create_index("ix_post_feed_id", "post", ["feed_id"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_post_feed_id", "post")
    op.drop_column("post", "feed_id")

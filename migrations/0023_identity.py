"""The settings of a site's looks, its time zone, and the local date of each post.

Revision ID: 0023
Revises: 0022
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_EMPTY = sa.text("''")
_TEXTS: dict[str, tuple[sa.types.TypeEngine[object], str | sa.TextClause]] = {
    "time_zone": (sa.String(64), "UTC"),
    "accent": (sa.String(7), _EMPTY),
    "accent_dark": (sa.String(7), _EMPTY),
    "footer_text": (sa.Text(), _EMPTY),
    "footer_html": (sa.Text(), _EMPTY),
    "footer_links": (sa.Text(), "[]"),
    "posts_per_page": (sa.Integer(), "20"),
    "copyright": (sa.String(300), _EMPTY),
    "profiles": (sa.Text(), "[]"),
}
_IMAGES = ("logo_id", "logo_dark_id", "icon_id", "social_image_id")


def upgrade() -> None:
    # No batch: rebuilding a table on SQLite would drop its triggers.
    for name, (kind, default) in _TEXTS.items():
        column: sa.Column[object] = sa.Column(name, kind, nullable=False, server_default=default)
        op.add_column("site", column)
    for name in _IMAGES:
        key = sa.ForeignKey("media.id", name=f"fk_site_{name}_media")
        op.add_column("site", sa.Column(name, sa.Integer(), key), inline_references=True)
    op.add_column("post", sa.Column("published_on", sa.Date(), nullable=True))
    # Every site was in UTC until now.
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE post SET published_on = substr(published_at, 1, 10)")
    else:
        op.execute("UPDATE post SET published_on = (published_at AT TIME ZONE 'UTC')::date")


def downgrade() -> None:
    op.drop_column("post", "published_on")
    for name in (*_IMAGES, *_TEXTS):
        op.drop_column("site", name)

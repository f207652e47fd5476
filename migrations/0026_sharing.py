"""Add the settings for crawlers and for security.txt to the site."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_LENGTHS = {
    "content_signal": 200,
    "content_usage": 200,
    "security_contact": 300,
    "security_expires": 10,
}


def upgrade() -> None:
    # No batch: rebuilding a table on SQLite would drop its triggers.
    for name, length in _LENGTHS.items():
        column: sa.Column[str] = sa.Column(
            name, sa.String(length), nullable=False, server_default=""
        )
        op.add_column("site", column)


def downgrade() -> None:
    for name in _LENGTHS:
        op.drop_column("site", name)

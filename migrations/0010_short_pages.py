"""Short-lived pages: errors, redirects and answers to queries, registered in groups.

Rows of such pages that are registered already stay where they are until they expire.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "edge_short_page",
        sa.Column("group_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("variant", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("policy", sa.String(length=60), nullable=False),
        sa.Column("fleeting", sa.Boolean(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["edge_page.id"], name="fk_edge_short_page_group_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "url", "variant", name="pk_edge_short_page"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    # Old code knows nothing of the groups: what they hold is purged with everything.
    op.execute("INSERT INTO edge_change (of_table, op) VALUES ('*', 'E')")
    op.drop_table("edge_short_page")
    op.execute("DELETE FROM edge_page WHERE variant = 'short-lived'")

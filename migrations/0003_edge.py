"""The change log and the page index.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-21
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    change_log()
    page_index()


def change_log() -> None:
    op.create_table(
        "edge_change",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("xid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("of_table", sa.Text(), nullable=False),
        sa.Column("op", sa.String(length=1), nullable=False),
        sa.Column("old", sa.Text()),
        sa.Column("new", sa.Text()),
        sa.Column("changed", sa.Text()),
        sa.Column("resolved", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_edge_change"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_edge_change_xid", "edge_change", ["xid"])
    open_only = sa.text("NOT resolved")
    op.create_index(
        "ix_edge_change_unresolved",
        "edge_change",
        ["id"],
        sqlite_where=open_only,
        postgresql_where=open_only,
    )
    op.create_table(
        "edge_meta",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_edge_meta"),
    )


def page_index() -> None:
    op.create_table(
        "edge_page",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("variant", sa.String(length=40), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("etag", sa.String(length=100), nullable=False),
        sa.Column("policy", sa.String(length=60), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_edge_page"),
        sa.UniqueConstraint("url", "variant", name="uq_edge_page_url_variant"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_edge_page_expires_at", "edge_page", ["expires_at"])
    op.create_table(
        "edge_shape",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("of_table", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("equal", sa.Text(), nullable=False),
        sa.Column("sort", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_edge_shape"),
        sa.UniqueConstraint("digest", name="uq_edge_shape_digest"),
    )
    op.create_table(
        "edge_dependency",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("page_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("low", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["edge_page.id"], name="fk_edge_dependency_page_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", "node", "page_id", "low", name="pk_edge_dependency"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_edge_dependency_page_id", "edge_dependency", ["page_id"])
    op.create_table(
        "edge_part",
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_edge_part"),
    )


def downgrade() -> None:
    op.drop_table("edge_part")
    op.drop_table("edge_dependency")
    op.drop_table("edge_shape")
    op.drop_table("edge_page")
    op.drop_table("edge_meta")
    op.drop_table("edge_change")

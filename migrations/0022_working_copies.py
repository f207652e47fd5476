"""Working copies: the text that writers save while they write, apart from what is public.

Ids are never reused: a browser tab that was left open must not save into another writer's copy.

Revision ID: 0022
Revises: 0021
Create Date: 2026-11-29
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.database import Instant

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("revision", sa.Column("facts", sa.JSON(), nullable=True))
    op.create_table(
        "working_copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("base_revision", sa.Integer(), nullable=True),
        sa.Column("base_fields", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("kind IN ('article', 'page')", name="ck_working_copy_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_working_copy"),
        sa.UniqueConstraint("post_id", name="uq_working_copy_post_id"),
        _parent("working_copy", "post_id", "post", "CASCADE"),
        _parent("working_copy", "owner_id", "user", "SET NULL"),
        _parent("working_copy", "updated_by", "user", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_working_copy_owner_id", "working_copy", ["owner_id"])
    op.create_index("ix_working_copy_updated_by", "working_copy", ["updated_by"])
    op.create_table(
        "working_copy_step",
        sa.Column("working_copy_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("tab", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("working_copy_id", "version", name="pk_working_copy_step"),
        _parent("working_copy_step", "working_copy_id", "working_copy", "CASCADE"),
        _parent("working_copy_step", "user_id", "user", "SET NULL"),
    )
    op.create_index("ix_working_copy_step_user_id", "working_copy_step", ["user_id"])
    op.create_table(
        "fork",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("working_copy_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("tab", sa.String(length=40), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fork"),
        _parent("fork", "working_copy_id", "working_copy", "CASCADE"),
        _parent("fork", "user_id", "user", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fork_working_copy_id", "fork", ["working_copy_id"])
    op.create_index("ix_fork_user_id", "fork", ["user_id"])
    op.create_table(
        "presence",
        sa.Column("working_copy_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("tab", sa.String(length=40), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("unsaved", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("working_copy_id", "user_id", "tab", name="pk_presence"),
        _parent("presence", "working_copy_id", "working_copy", "CASCADE"),
        _parent("presence", "user_id", "user", "CASCADE"),
    )
    op.create_index("ix_presence_user_id", "presence", ["user_id"])
    op.create_table(
        "preview_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("working_copy_id", sa.Integer(), nullable=True),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "(working_copy_id IS NULL) <> (post_id IS NULL)", name="ck_preview_link_one_target"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_preview_link"),
        sa.UniqueConstraint("token_hash", name="uq_preview_link_token_hash"),
        _parent("preview_link", "working_copy_id", "working_copy", "CASCADE"),
        _parent("preview_link", "post_id", "post", "CASCADE"),
        _parent("preview_link", "made_by", "user", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_preview_link_working_copy_id", "preview_link", ["working_copy_id"])
    op.create_index("ix_preview_link_post_id", "preview_link", ["post_id"])
    op.create_index("ix_preview_link_made_by", "preview_link", ["made_by"])
    op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=True),
        sa.Column("copy_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("urls", sa.JSON(), nullable=False),
        sa.Column("everything_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_publication"),
        _parent("publication", "post_id", "post", "SET NULL"),
        _parent("publication", "user_id", "user", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_publication_post_id", "publication", ["post_id"])
    op.create_index("ix_publication_copy_id", "publication", ["copy_id"])
    op.create_index("ix_publication_user_id", "publication", ["user_id"])


def _parent(table: str, column: str, parent: str, on_delete: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete=on_delete)


def downgrade() -> None:
    for table in (
        "publication",
        "preview_link",
        "presence",
        "fork",
        "working_copy_step",
        "working_copy",
    ):
        op.drop_table(table)
    op.drop_column("revision", "facts")

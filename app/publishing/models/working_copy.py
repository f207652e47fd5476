"""A working copy: the text of a post while it is written. No page reads these tables.

A post has at most one working copy, which its editors share. Each saved state is a step, so that
the changes of two editors can be merged.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Instant
from app.extensions import Model

from .post import Kind, Post, choice

TAB = 40
"""The longest name of a browser tab."""


class WorkingCopy(Model):
    """The unpublished fields of a post, or of a new post that was never saved."""

    __tablename__ = "working_copy"
    # A browser tab that was left open must not save into a copy that got the id of a deleted one.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("post.id", ondelete="CASCADE"), unique=True
    )
    kind: Mapped[Kind] = mapped_column(choice(Kind, "kind"))
    owner_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    version: Mapped[int] = mapped_column(default=1)
    """Counts the saves; a save names the version that it is based on."""
    base_revision: Mapped[int | None] = mapped_column()
    """The number of the post's last revision when the copy was made or last saved to the post."""
    base_fields: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    """The fields of the post at that time."""
    fields: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    """The fields as `CopyFields.to_json` writes them."""
    ready: Mapped[bool] = mapped_column(default=False)
    """Whether its writer asks for a review."""
    updated_by: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)

    post: Mapped[Post | None] = relationship(viewonly=True)


class WorkingCopyStep(Model):
    """One saved state of a working copy: the base of a later merge."""

    __tablename__ = "working_copy_step"

    working_copy_id: Mapped[int] = mapped_column(
        sa.ForeignKey("working_copy.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fields: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    user_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    tab: Mapped[str] = mapped_column(sa.String(TAB), default="")
    created_at: Mapped[datetime] = mapped_column(Instant)

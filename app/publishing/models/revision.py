"""A revision: the text of a post after one save."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model


class Revision(Model):
    """The text of a post at one time; revisions are never changed or deleted."""

    __tablename__ = "revision"
    __table_args__ = (sa.UniqueConstraint("post_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("post.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column()
    """Counts from 1 within its post."""
    title: Mapped[str] = mapped_column(sa.String(300))
    summary: Mapped[str] = mapped_column(sa.Text, default="")
    body_markdown: Mapped[str] = mapped_column(sa.Text, deferred=True, deferred_group="source")
    facts: Mapped[dict[str, Any] | None] = mapped_column(
        sa.JSON(none_as_null=True), deferred=True, deferred_group="source"
    )
    """The other fields of the post: slug, authors, topics, cover and so on.

    A row of an older release has none.
    """
    created_at: Mapped[datetime] = mapped_column(Instant)
    user_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )

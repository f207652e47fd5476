"""A publication: one change of what readers see, and the pages that it refreshed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Instant
from app.extensions import Model

from .post import Post


class Publication(Model):
    """The record of an action of the studio; it is written in the action's transaction."""

    __tablename__ = "publication"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    action: Mapped[str] = mapped_column(sa.String(16))
    """`save`, `publish`, `update`, `schedule`, `unpublish`, `archive`, `rename` or
    `settings`."""
    post_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("post.id", ondelete="SET NULL"), index=True
    )
    copy_id: Mapped[int | None] = mapped_column(index=True)
    """The working copy that was published; the copy itself is deleted by then."""
    user_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    urls: Mapped[list[str]] = mapped_column(sa.JSON)
    """The URLs of the cached pages that the change affects."""
    everything_reason: Mapped[str] = mapped_column(sa.Text, default="")
    """Why the change affects every page; empty if it affects only `urls`."""

    post: Mapped[Post | None] = relationship(viewonly=True)

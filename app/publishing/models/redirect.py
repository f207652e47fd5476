"""A redirect: an old address and where it leads now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Instant
from app.extensions import Model

if TYPE_CHECKING:
    from .post import Post


class Redirect(Model):
    """An old path; it leads to a post, wherever that is by now, or to a fixed target."""

    __tablename__ = "redirect"
    __table_args__ = (
        sa.CheckConstraint("(target IS NULL) <> (post_id IS NULL)", name="one_target"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(500), unique=True)
    """The old path in lower case, without a slash at its end."""
    target: Mapped[str | None] = mapped_column(sa.String(2000))
    post_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("post.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(Instant)

    post: Mapped[Post | None] = relationship(viewonly=True)

"""A preview link: it shows a draft to people who have no account."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model

LABEL = 200


class PreviewLink(Model):
    """A secret, expiring link to a working copy, or to a post; only the token's hash is stored."""

    __tablename__ = "preview_link"
    __table_args__ = (
        sa.CheckConstraint("(working_copy_id IS NULL) <> (post_id IS NULL)", name="one_target"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    working_copy_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("working_copy.id", ondelete="CASCADE"), index=True
    )
    """The copy of a post that was never saved."""
    post_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("post.id", ondelete="CASCADE"), index=True
    )
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    """SHA-256 of the token, in hexadecimal."""
    label: Mapped[str] = mapped_column(sa.String(LABEL), default="")
    """Whom the link is for, in the words of its maker."""
    made_by: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)

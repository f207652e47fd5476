"""An address at which readers have seen a post."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model


class PostAddress(Model):
    """A path at which a post was public; it stays when the post moves or is taken back.

    Pages never read this table. Actions read it to decide which redirects there must be.
    """

    __tablename__ = "post_address"
    __table_args__ = (sa.UniqueConstraint("path", "post_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("post.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(sa.String(500))
    """The path as `paths.normal` spells it."""
    public_at: Mapped[datetime] = mapped_column(Instant)
    """When the post last became public there."""

"""Ownership: whose post it is. Private, unlike its authors, whom pages show."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model


class Ownership(Model):
    """The user who owns a post; a post of the importer or the command line has no row."""

    __tablename__ = "ownership"

    post_id: Mapped[int] = mapped_column(
        sa.ForeignKey("post.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )

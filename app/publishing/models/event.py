"""An event: who did what, without texts and addresses."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model


class Event(Model):
    """One entry of the studio's record; it is deleted after 90 days."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    """Who did it; None for the command line and for a visitor without an account."""
    action: Mapped[str] = mapped_column(sa.String(40))
    subject: Mapped[str] = mapped_column(sa.String(100), default="")
    """What it was done to, such as `user 3`."""
    detail: Mapped[str] = mapped_column(sa.String(200), default="")

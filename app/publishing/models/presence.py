"""Presence: which users have a working copy open in which browser tab."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model

from .working_copy import TAB


class Presence(Model):
    """One browser tab that shows a working copy."""

    __tablename__ = "presence"

    working_copy_id: Mapped[int] = mapped_column(
        sa.ForeignKey("working_copy.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    tab: Mapped[str] = mapped_column(sa.String(TAB), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    unsaved: Mapped[bool] = mapped_column(default=False)
    """Whether the tab has changes that the server has not acknowledged."""

"""A counter of failed log-ins, of an account, of a network, or of both."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model


class Throttle(Model):
    """The failures of one key since they began."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    """A keyed hash, so that the table names no account and no network."""
    failures: Mapped[int] = mapped_column()
    updated_at: Mapped[datetime] = mapped_column(Instant, index=True)
    """When the last failure was counted."""

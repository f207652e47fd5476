"""The installation: one row that every process of it shares, and no other installation has."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model


class Installation(Model):
    """The key of this database, from which the set-up link is derived."""

    __tablename__ = "installation"
    __table_args__ = (sa.CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[bytes] = mapped_column(sa.LargeBinary)
    """32 random bytes, made by the migration."""
    owner_made_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the first owner was made; the set-up link is valid until then."""

"""A fork: a text that could not be merged into its working copy."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model

from .working_copy import TAB


class Fork(Model):
    """What one writer sent while another changed the same words; kept until it is resolved."""

    __tablename__ = "fork"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    working_copy_id: Mapped[int] = mapped_column(
        sa.ForeignKey("working_copy.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="SET NULL"), index=True
    )
    tab: Mapped[str] = mapped_column(sa.String(TAB), default="")
    base_version: Mapped[int] = mapped_column()
    """The version of the working copy that the writer had loaded."""
    fields: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime] = mapped_column(Instant)

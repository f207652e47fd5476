"""A link that an owner hands over: an invitation, or a new password."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model

from .post import choice
from .user import Role


class Purpose(StrEnum):
    """What a link is for."""

    INVITE = "invite"
    RESET = "reset"


class Link(Model):
    """A single-use link; only the hash of its token is stored."""

    __tablename__ = "link"

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose, "purpose"))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    """Whose password is set; None for an invitation."""
    email: Mapped[str] = mapped_column(sa.String(320), default="")
    role: Mapped[Role | None] = mapped_column(choice(Role, "role"))
    made_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))
    """The owner who made it; None for the command line."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)

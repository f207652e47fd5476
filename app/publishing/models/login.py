"""A login: one session of a user in one browser."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model


class Login(Model):
    """A session; the browser has the token, the database only its hash."""

    __tablename__ = "login"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    """When it was last used, to within a few minutes."""
    proved_at: Mapped[datetime] = mapped_column(Instant)
    """When the user last gave the password."""
    method: Mapped[str] = mapped_column(sa.String(16))
    """How the user logged in: `password`, `link`, `setup`."""
    address: Mapped[str] = mapped_column(sa.String(64), default="")
    """The network of the client, not its whole address."""
    agent: Mapped[str] = mapped_column(sa.String(200), default="")

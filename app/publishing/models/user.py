"""A user: a person who may log in. No author, so that a log-in changes no public row."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model

from .post import choice


class Role(StrEnum):
    """What a user may do: a writer writes, an editor publishes, an owner does everything."""

    WRITER = "writer"
    EDITOR = "editor"
    OWNER = "owner"


class User(Model):
    """A person who may log in."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(320), unique=True)
    """In lower case."""
    name: Mapped[str] = mapped_column(sa.String(200))
    password_hash: Mapped[str] = mapped_column(sa.String(300), default="")
    role: Mapped[Role] = mapped_column(choice(Role, "role"), default=Role.WRITER)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Instant)

"""A topic: what articles are about."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.publishing.slugs import to_path


class Topic(Model):
    """What an article is about."""

    __tablename__ = "topic"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(100), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str] = mapped_column(sa.Text, default="")

    @property
    def path(self) -> str:
        """Where readers find the topic's articles."""
        return to_path("/topics/", self.slug)

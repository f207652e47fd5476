"""An author: a byline of articles, with or without a user account."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.publishing.slugs import to_path


class Author(Model):
    """The author of posts, as readers see it."""

    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(100), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    bio_markdown: Mapped[str] = mapped_column(sa.Text, default="")
    bio_html: Mapped[str] = mapped_column(sa.Text, default="")
    url: Mapped[str] = mapped_column(sa.String(500), default="")
    """A page of the author's own, elsewhere."""

    @property
    def path(self) -> str:
        """Where readers find the author's articles."""
        return to_path("/authors/", self.slug)
